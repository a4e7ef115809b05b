// Eigen's matrices as tiles: handed over and received as they lie, and copied where they do not fit.
#include <gtest/gtest.h>

#include <vector>

#include "revode/eigen.hpp"

namespace {
using namespace revode;

TEST(EigenTiles, AreMatricesAsTheyLie) {
  std::vector<float> tile = {1, 2, 3, 4, 5, 6};  // [2][3]
  float* const x = tile.data();
  EXPECT_EQ(as_tile(x, 2, 3)(1, 0), 4);
  EXPECT_EQ(as_tile<2>(x, 3)(0, 2), 3);
  EXPECT_EQ(as_samples(x, 2, 3)(2, 1), 6);
  const float* fixed = x;
  EXPECT_EQ(as_tile(fixed, 2, 3), as_samples(fixed, 2, 3).transpose());
  as_tile(x, 2, 3).row(1) *= 2;
  EXPECT_EQ(x[5], 12);

  Eigen::Matrix<float, 2, 3, Eigen::RowMajor> rows;
  Eigen::MatrixXf samples(5, 2), wide(4, 4);
  EXPECT_EQ(tile_of(rows), rows.data());
  EXPECT_EQ(tile_of(samples), samples.data());
  auto half = wide.topRows(2);
  EXPECT_EQ(tile_of(half), nullptr);  // its columns have gaps
  auto left = wide.leftCols(2);
  EXPECT_EQ(tile_of(left), wide.data());
}

TEST(EigenTiles, AreCopiedFromAndToAnyMatrix) {
  Eigen::MatrixXd m = Eigen::MatrixXd::Random(4, 4);  // column-major
  std::vector<double> tile(6), same(6);
  double *const x = tile.data(), *const back = same.data();
  ASSERT_EQ(copy_to_tile(m.block(1, 0, 2, 3), x, 2, 3), Status::ok);
  for (int r = 0; r < 2; ++r)
    for (int l = 0; l < 3; ++l) EXPECT_EQ(x[3 * r + l], m(1 + r, l));
  const Eigen::MatrixXd samples = m.block(1, 0, 2, 3).transpose();
  ASSERT_EQ(copy_to_tile(samples.transpose(), back, 2, 3), Status::ok);
  EXPECT_EQ(tile, same);
  m.setZero();
  ASSERT_EQ(copy_from_tile(x, 2, 3, m.block(2, 1, 2, 3)), Status::ok);
  EXPECT_EQ(m(3, 3), x[5]);
  EXPECT_EQ(m(0, 0), 0);
  EXPECT_EQ(copy_to_tile(m, x, 2, 3), Status::bad_argument);
  EXPECT_EQ(copy_from_tile(x, 2, 3, m), Status::bad_argument);
}
}  // namespace
