# What the pages show is what the tool prints.
foreach(page inspect check)
  add_test(NAME docs.${page} COMMAND ${CMAKE_CURRENT_LIST_DIR}/examples.sh docs/${page}.md
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(docs.${page} PROPERTIES LABELS repo TIMEOUT 120
    ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR};NO_COLOR=1;CC=${CMAKE_C_COMPILER};LC_ALL=C")
endforeach()

add_test(NAME docs.rules COMMAND ${CMAKE_CURRENT_LIST_DIR}/rules.sh WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(docs.rules PROPERTIES LABELS repo TIMEOUT 120 ENVIRONMENT "BUILD=${PROJECT_BINARY_DIR};NO_COLOR=1;CC=${CMAKE_C_COMPILER};LC_ALL=C")
