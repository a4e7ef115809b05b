// Reading of tests/peers/data.
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "revode/kernels.hpp"
#include "revode/tableau.hpp"

namespace peer {
using Json = nlohmann::json;

inline Json data(const std::string& name) {
  const std::string path = std::string(REVODE_TESTS_DIR) + "/peers/data/" + name + ".json";
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path << " cannot be read";
  return Json::parse(file);
}
inline revode::Activation activation(const std::string& name) {
  using revode::Activation;
  const std::pair<const char*, Activation> all[] = {{"tanh", Activation::tanh},
                                                    {"softplus", Activation::softplus},
                                                    {"silu", Activation::silu},
                                                    {"elu", Activation::elu},
                                                    {"relu", Activation::relu}};
  for (const auto& [text, act] : all)
    if (name == text) return act;
  ADD_FAILURE() << "unknown activation " << name;
  return Activation::identity;
}
template <class T>
revode::Tableau<T> base(const std::string& name) {
  for (const revode::Tableau<T>* m : revode::tableau::all<T>)
    if (name == m->name) return *m;
  ADD_FAILURE() << "unknown tableau " << name;
  return revode::tableau::euler<T>;
}
inline std::vector<double> joined(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline std::vector<double> flat(const Json& rows) {
  std::vector<double> all;
  for (const Json& row : rows) all = joined(all, row.get<std::vector<double>>());
  return all;
}
}  // namespace peer
