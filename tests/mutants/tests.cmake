# The library broken in one place at a time, compiled as it is without sanitizers: a few here, all of them with ctest -C long -L long.
if(TARGET coppice_sim_rooms AND NOT COPPICE_SANITIZE)
  set(mutants ${PROJECT_SOURCE_DIR}/scripts/mutants.sh)
  add_test(NAME mutants COMMAND ${mutants} ${PROJECT_BINARY_DIR} linear-not-flushed memmap-freed-early remove-grace-early
    add-memmap-stays remove-boot-memory vunmap-not-flushed)
  set_tests_properties(mutants PROPERTIES TIMEOUT 600 ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
  add_test(NAME mutants.long CONFIGURATIONS long COMMAND ${mutants} ${PROJECT_BINARY_DIR})
  set_tests_properties(mutants.long PROPERTIES LABELS long TIMEOUT 7200 ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
  # Each still finds the lines it changes.
  add_test(NAME mutants.apply COMMAND ${mutants} -n ${PROJECT_BINARY_DIR})
endif()
