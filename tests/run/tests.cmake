# The tool over a library that is broken in one place: `coppice run --gup` sees it. Each patch also makes a CPU give way there,
# so that others come in between; paused.patch does nothing but that, and nothing is to be seen.
function(coppice_broken_run NAME CODE PATTERN)
  set(dir ${PROJECT_BINARY_DIR}/run/${NAME})
  coppice_patched_rooms(${dir} ${PROJECT_SOURCE_DIR}/tests/run/${NAME}.patch sources changed)
  set(target run_${NAME})
  add_executable(${target} ${PROJECT_SOURCE_DIR}/cli/main.c ${sources}
    $<FILTER:$<TARGET_OBJECTS:coppice_rooms>,EXCLUDE,${changed}>)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${NAME} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/run/bin)
  target_include_directories(${target} BEFORE PRIVATE ${dir})
  target_compile_definitions(${target} PRIVATE COPPICE_VERSION="${PROJECT_VERSION}")
  target_compile_options(${target} PRIVATE -w)
  target_link_libraries(${target} PRIVATE coppice_cli)
  add_test(NAME run.${NAME} ${ARGN} COMMAND ${PROJECT_SOURCE_DIR}/tests/run/broken.sh $<TARGET_FILE:${target}> ${CODE} ${PATTERN})
  set_tests_properties(run.${NAME} PROPERTIES TIMEOUT 300 COST -1)
endfunction()

if(COPPICE_BROKEN AND NOT COPPICE_SANITIZE AND TARGET coppice_rooms)
  coppice_broken_run(paused 0 "left behind: 0 frames with 0 references, 0 pins")
  # GUP does not look again whether the entry maps the page that it has got.
  coppice_broken_run(one-look 1 "wrong, the first: the page at 0x[0-9a-f]+, frame")
  # Who pins without the lock does not look whether a fork is under way. Seen after a minute, or not: with -C long.
  coppice_broken_run(fork-unseen 1 "is not the one that is pinned" CONFIGURATIONS long)
  # Fork shares pages that are pinned.
  coppice_broken_run(shares-pinned 1 "is its parent's, which has pinned it|is not the one that is pinned")
  # What was taken in vain is not given back.
  coppice_broken_run(keeps-reference 1 "left behind: [1-9]")
  # The space's limit is stored before the root that translates so much.
  coppice_broken_run(early-limit 1 "wrong, the first: the page at 0x[0-9a-f]+, frame")
  # Pages are freed before their entries are cleared.
  coppice_broken_run(let-go-first 1 "wrong, the first: the page at|broken rule")
endif()
