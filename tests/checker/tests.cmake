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

# Random programs: reduced and unreduced search agree. The long run: ctest -C long -L long.
add_executable(checker_random_engine ${PROJECT_SOURCE_DIR}/tests/checker/random_engine.c)
target_link_libraries(checker_random_engine PRIVATE coppice_engine)
add_test(NAME checker.random_engine COMMAND checker_random_engine 3000)
# Among these are awaits that wait in vain and would have changed what others read.
add_test(NAME checker.random_engine.awaits COMMAND checker_random_engine 3000 10000)
add_test(NAME checker.random_engine.long CONFIGURATIONS long COMMAND checker_random_engine 50000 1000000)
set_tests_properties(checker.random_engine.long PROPERTIES LABELS long TIMEOUT 3600)

# The same where stacks are switched otherwise.
foreach(arch arm64 s390x)
  add_test(NAME checker.elsewhere.${arch}
    COMMAND ${PROJECT_SOURCE_DIR}/tests/checker/elsewhere.sh ${arch} ${PROJECT_BINARY_DIR}/elsewhere/${arch})
  set_tests_properties(checker.elsewhere.${arch} PROPERTIES LABELS repo TIMEOUT 300 SKIP_RETURN_CODE 77)
endforeach()

add_executable(checker_random_machine ${PROJECT_SOURCE_DIR}/tests/checker/random_machine.c)
target_link_libraries(checker_random_machine PRIVATE coppice_checker)
add_test(NAME checker.random_machine COMMAND checker_random_machine 300)
# A store that waits behind a fence; instructions that change entries; a machine stopped while a store waits; an await of what
# its own CPU has stored; a handler that runs between two stores of a task.
foreach(number 100634 103330 126908 120624 125136)
  add_test(NAME checker.random_machine.${number} COMMAND checker_random_machine 1 ${number})
endforeach()
add_test(NAME checker.random_machine.long CONFIGURATIONS long COMMAND checker_random_machine 30000 100000)
set_tests_properties(checker.random_machine.long PROPERTIES LABELS long TIMEOUT 7200)

# ... and find out when a rule of the reduction is broken.
set(broken)
if(COPPICE_BROKEN)
  file(GLOB broken CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/checker/broken/*.patch)
endif()
foreach(patch ${broken})
  get_filename_component(name ${patch} NAME_WE)
  set(dir ${PROJECT_BINARY_DIR}/broken/${name})
  set(originals ${COPPICE_ENGINE_SOURCES})
  list(FILTER originals INCLUDE REGEX "\\.c$")
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/checker/engine/*.h ${PROJECT_SOURCE_DIR}/checker/engine.h)
  list(TRANSFORM originals REPLACE "^${PROJECT_SOURCE_DIR}" ${dir} OUTPUT_VARIABLE copies)
  list(TRANSFORM headers REPLACE "^${PROJECT_SOURCE_DIR}" ${dir} OUTPUT_VARIABLE header_copies)
  # Headers too: what includes them waits for the new ones.
  list(APPEND copies ${header_copies})
  add_custom_command(OUTPUT ${copies}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDIR=${dir} -DPATCH=${patch} -DROOMS=checker
      -P ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake
    DEPENDS ${originals} ${headers} ${patch} ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake
    COMMENT "Breaking the engine with ${patch}" VERBATIM)
  add_executable(checker_broken_${name} ${PROJECT_SOURCE_DIR}/tests/checker/random_engine.c ${copies}
    ${PROJECT_SOURCE_DIR}/checker/engine/switch_x86_64.S ${PROJECT_SOURCE_DIR}/checker/engine/switch_arm64.S)
  target_include_directories(checker_broken_${name} BEFORE PRIVATE ${dir})
  target_compile_options(checker_broken_${name} PRIVATE -w)
  target_link_libraries(checker_broken_${name} PRIVATE coppice_options)
  add_test(NAME checker.broken.${name} COMMAND checker_broken_${name} 3000)
  set_tests_properties(checker.broken.${name} PROPERTIES WILL_FAIL TRUE)
endforeach()

# ... and of what the machine tells it: each of these stands for the part of the machine that it breaks.
set(broken)
if(COPPICE_BROKEN)
  file(GLOB broken CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/checker/broken_sim/*.patch)
endif()
foreach(patch ${broken})
  get_filename_component(name ${patch} NAME_WE)
  set(dir ${PROJECT_BINARY_DIR}/broken/${name})
  file(STRINGS ${patch} part REGEX "^\\+\\+\\+ b/" LIMIT_COUNT 1)
  string(REGEX REPLACE "^.* b/" "" part "${part}")
  add_custom_command(OUTPUT ${dir}/${part}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDIR=${dir} -DPATCH=${patch} -DROOMS=ports
      -P ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake
    DEPENDS ${PROJECT_SOURCE_DIR}/${part} ${patch} ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake
    COMMENT "Breaking the machine with ${patch}" VERBATIM)
  add_executable(checker_broken_${name} ${PROJECT_SOURCE_DIR}/tests/checker/random_machine.c ${dir}/${part})
  target_compile_options(checker_broken_${name} PRIVATE -w)
  target_link_libraries(checker_broken_${name} PRIVATE coppice_checker)
  add_test(NAME checker.broken.${name} COMMAND checker_broken_${name} 100 6600)
  set_tests_properties(checker.broken.${name} PROPERTIES WILL_FAIL TRUE)
endforeach()

# The cases of the rules, some on trees that the library builds.
file(GLOB rule_cases CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/checker/rules_*.c)
target_sources(checker_test_rules PRIVATE ${rule_cases} $<TARGET_OBJECTS:coppice_sim_rooms>)

# Every shipped patch applies to the library as it is.
file(GLOB story_patches CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/stories/*.patch)
foreach(patch ${story_patches})
  get_filename_component(name ${patch} NAME_WE)
  add_test(NAME stories.patch.${name}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDIR=${PROJECT_BINARY_DIR}/patches/${name} -DPATCH=${patch}
      "-DROOMS=${COPPICE_SIM_ROOMS}" -P ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake)
endforeach()
