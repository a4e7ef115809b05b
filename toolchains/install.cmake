# cmake --install: the library, its headers, find_package(revode) and pkg-config. Paths are relative, so that an
# installed tree may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/revode)

install(TARGETS revode EXPORT revode ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp" PATTERN "mpi" EXCLUDE)
# The export file is the package configuration: the core depends on nothing that would have to be found first.
install(EXPORT revode NAMESPACE revode:: FILE revodeConfig.cmake DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/revodeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/revodeConfigVersion.cmake DESTINATION ${package_dir})

# For build systems that know nothing of CMake: the folder of the .pc file tells where the prefix is.
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" to_prefix "${to_prefix}")
if(REVODE_BLAS STREQUAL "openblas")
  set(blas_lib " -lopenblas")
endif()
file(CONFIGURE OUTPUT revode.pc @ONLY CONTENT [[
prefix=${pcfiledir}/@to_prefix@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: revode
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Libs: -L${libdir} -lrevode@blas_lib@ -lm
Cflags: -I${includedir}
]])
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/revode.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
