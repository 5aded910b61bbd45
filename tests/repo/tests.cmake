# What must hold of the sources and of what is installed. Label repo: independent of the compiler, run once in the CI.
function(coppice_repo_test name)
  add_test(NAME repo.${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/repo/${name}.sh ${ARGN}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(repo.${name} PROPERTIES LABELS repo TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR};CC=${CMAKE_C_COMPILER}")
endfunction()

coppice_repo_test(headers)
coppice_repo_test(includes)
coppice_repo_test(man)
coppice_repo_test(scripts)
coppice_repo_test(tool)
coppice_repo_test(inspect)
if(TARGET coppice_rooms)
  coppice_repo_test(static_storage $<TARGET_OBJECTS:coppice_rooms>)
  set_property(TEST repo.static_storage PROPERTY COMMAND_EXPAND_LISTS ON)
  coppice_repo_test(install)
  coppice_repo_test(check)
  # Also under the sanitizers.
  coppice_repo_test(run)
  set_tests_properties(repo.run PROPERTIES LABELS threads COST -1)
  coppice_repo_test(amalgamation)
  coppice_repo_test(text_size)
  coppice_repo_test(inspect_lint)
  coppice_repo_test(inspect_alloc)
endif()
