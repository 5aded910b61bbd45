# Linked with the simulated machine, not with the host port.
file(GLOB checker_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/checker/test_*.c)
foreach(source ${checker_tests})
  get_filename_component(name ${source} NAME_WE)
  set(target checker_${name})
  string(REPLACE "test_" "checker." test ${name})
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE coppice_checker PkgConfig::CMOCKA)
  add_test(NAME ${test} COMMAND ${target})
  set_tests_properties(${test} PROPERTIES TIMEOUT 600)
endforeach()
target_sources(checker_test_counts PRIVATE ${PROJECT_SOURCE_DIR}/bench/checker_programs.c)

# The cases of the rules, some on trees that the library builds.
file(GLOB rule_cases CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/checker/rules_*.c)
target_sources(checker_test_rules PRIVATE ${rule_cases} $<TARGET_OBJECTS:coppice_sim_rooms>)
# What a case does not say is zero.
target_compile_options(checker_test_rules PRIVATE -Wno-missing-field-initializers)

# Every shipped patch applies to the library as it is.
file(GLOB story_patches CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/stories/*.patch)
foreach(patch ${story_patches})
  get_filename_component(name ${patch} NAME_WE)
  add_test(NAME stories.patch.${name}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDIR=${PROJECT_BINARY_DIR}/patches/${name} -DPATCH=${patch}
      "-DROOMS=${COPPICE_SIM_ROOMS}" -P ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake)
endforeach()
