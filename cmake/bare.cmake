# bare.<arch>.<name>: images of the amalgamation on QEMU's machines (scripts/bare.sh). Skipped by name where an emulator or a cross
# compiler is missing. Independent of this build's compiler: label repo.
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/bare.sh list OUTPUT_VARIABLE runs ERROR_QUIET)
string(REGEX MATCHALL "[^\n]+" runs "${runs}")
set(COPPICE_BARE_ARCHES)
foreach(run ${runs})
  string(REPLACE " " ";" run "${run}")
  list(GET run 0 arch)
  list(GET run 1 name)
  if(NOT arch IN_LIST COPPICE_BARE_ARCHES)
    list(APPEND COPPICE_BARE_ARCHES ${arch})
    add_test(NAME bare.${arch}.build COMMAND ${PROJECT_SOURCE_DIR}/scripts/bare.sh build ${arch})
    set_tests_properties(bare.${arch}.build PROPERTIES LABELS "repo;bare" TIMEOUT 900 SKIP_RETURN_CODE 77
      FIXTURES_SETUP bare_${arch} ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR}")
    # The example by its README; and the runner: it tells a broken machine, and links the amalgamation as it is.
    foreach(test alone broken sources)
      add_test(NAME bare.${arch}.${test} COMMAND ${PROJECT_SOURCE_DIR}/tests/bare/${test}.sh ${arch}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(bare.${arch}.${test} PROPERTIES LABELS "repo;bare" TIMEOUT 300 SKIP_RETURN_CODE 77
        FIXTURES_REQUIRED bare_${arch} ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR}")
    endforeach()
  endif()
  add_test(NAME bare.${arch}.${name} COMMAND ${PROJECT_SOURCE_DIR}/scripts/bare.sh run ${arch} ${name})
  set_tests_properties(bare.${arch}.${name} PROPERTIES LABELS "repo;bare" TIMEOUT 300 SKIP_RETURN_CODE 77
    FIXTURES_REQUIRED bare_${arch} ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR}")
endforeach()
add_test(NAME bare.skip COMMAND ${PROJECT_SOURCE_DIR}/tests/bare/skip.sh WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bare.skip PROPERTIES LABELS "repo;bare" TIMEOUT 300 SKIP_RETURN_CODE 77)
# Is the oracle awake? Every field's definition made wrong in turn: ctest -C flip -L flip.
foreach(arch ${COPPICE_BARE_ARCHES})
  if(EXISTS ${PROJECT_SOURCE_DIR}/tests/bare/${arch}/flips.txt)
    add_test(NAME bare.${arch}.flip COMMAND ${PROJECT_SOURCE_DIR}/scripts/bare-flip.sh ${arch} CONFIGURATIONS flip)
    set_tests_properties(bare.${arch}.flip PROPERTIES LABELS "flip" TIMEOUT 3600 SKIP_RETURN_CODE 77
      ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR}")
  endif()
endforeach()
