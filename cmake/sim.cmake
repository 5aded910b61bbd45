# The simulated machine, the explorer, and the stories: each a program per variant, compiled from the library's source,
# patched for the broken variants, over ports/sim.

# The engine stands alone; its own switch of stacks where there is one for the processor.
enable_language(ASM)
file(GLOB COPPICE_ENGINE_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/checker/engine/*.c ${PROJECT_SOURCE_DIR}/checker/engine/*.S)
add_library(coppice_engine STATIC ${COPPICE_ENGINE_SOURCES})
target_link_libraries(coppice_engine PUBLIC coppice_options)
if(COPPICE_SANITIZE MATCHES address)
  # Stacks are put back by copying: what the sanitizer notes about their variables would not be.
  target_compile_options(coppice_engine PUBLIC $<$<C_COMPILER_ID:GNU>:--param=asan-stack=0>
    "$<$<C_COMPILER_ID:Clang>:SHELL:-mllvm -asan-stack=0>")
endif()

file(GLOB COPPICE_CHECKER_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ports/sim/*.c ${PROJECT_SOURCE_DIR}/checker/*.c
  ${PROJECT_SOURCE_DIR}/checker/rules/*.c)
add_library(coppice_checker STATIC ${COPPICE_CHECKER_SOURCES})
target_link_libraries(coppice_checker PUBLIC coppice_options coppice_engine)
target_compile_definitions(coppice_checker PUBLIC COP_PORT_HEADER="ports/sim/port.h")
# Traces and reports name sources as they lie in the tree.
target_compile_options(coppice_checker PUBLIC -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

# What a story is compiled from.
set(COPPICE_SIM_ROOMS formats tables memory spaces hotplug)
set(COPPICE_SIM_FILES)
foreach(room ${COPPICE_SIM_ROOMS})
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${room}/*.c ${PROJECT_SOURCE_DIR}/${room}/*.h)
  list(APPEND COPPICE_SIM_FILES ${files})
endforeach()

# A copy of the rooms under DIR with PATCH applied. OUT gets its sources that the patch changes, CHANGED a pattern of their
# objects: all others need not be compiled again. Headers come along: the copy includes its own. A header of formats/ is
# included by tables/ and spaces/ too, one of tables/ by spaces/; beyond that a room includes no other room's headers.
function(coppice_patched_rooms DIR PATCH OUT CHANGED)
  set(originals)
  set(copies)
  foreach(file ${COPPICE_SIM_FILES})
    list(APPEND originals ${PROJECT_SOURCE_DIR}/${file})
    list(APPEND copies ${DIR}/${file})
  endforeach()
  add_custom_command(OUTPUT ${copies}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDIR=${DIR} -DPATCH=${PATCH} "-DROOMS=${COPPICE_SIM_ROOMS}"
      -P ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake
    DEPENDS ${originals} ${PATCH} ${PROJECT_SOURCE_DIR}/cmake/patch_rooms.cmake
    COMMENT "Patching the library with ${PATCH}" VERBATIM)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PATCH})
  file(STRINGS ${PATCH} patched REGEX "^[+][+][+] b/")
  set(changed)
  foreach(line ${patched})
    string(REGEX REPLACE "^[+][+][+] b/([^ \t]*).*$" "\\1" file ${line})
    get_filename_component(room ${file} DIRECTORY)
    if(file MATCHES "\\.c$")
      list(APPEND changed ${file})
    elseif(room STREQUAL formats)
      list(APPEND changed "formats/[^/]*" "tables/[^/]*" "spaces/[^/]*")
    elseif(room STREQUAL tables)
      list(APPEND changed "tables/[^/]*" "spaces/[^/]*")
    else()
      list(APPEND changed "${room}/[^/]*")
    endif()
  endforeach()
  list(TRANSFORM changed REPLACE "\\.c$" "")
  list(JOIN changed "|" changed)
  set(sources ${copies})
  list(FILTER sources INCLUDE REGEX "/(${changed})\\.c$")
  set(${OUT} ${sources} PARENT_SCOPE)
  set(${CHANGED} "/(${changed})[.]c[.]o$" PARENT_SCOPE)
endfunction()

# OUT is made from FILES by cmake/version.cmake.
function(coppice_version OUT FILES)
  list(JOIN FILES "\n" names)
  file(GENERATE OUTPUT ${OUT}.files CONTENT "${names}\n")
  add_custom_command(OUTPUT ${OUT}
    COMMAND ${CMAKE_COMMAND} -DOUT=${OUT} -DNAMES=${OUT}.files -P ${PROJECT_SOURCE_DIR}/cmake/version.cmake
    DEPENDS ${FILES} ${PROJECT_SOURCE_DIR}/cmake/version.cmake COMMENT "" VERBATIM)
endfunction()

# One program: story ID with VARIANT, from SOURCES; DIR precedes the source tree among the includes.
function(coppice_sim_program ID VARIANT DIR SOURCES)
  set(target sim_${ID}_${VARIANT})
  set(version ${PROJECT_BINARY_DIR}/stories/version/${ID}_${VARIANT}.c)
  set(decide ${PROJECT_BINARY_DIR}/stories/version/common ${PROJECT_SOURCE_DIR}/stories/${ID}.c)
  if(DIR)
    list(APPEND decide ${PROJECT_SOURCE_DIR}/stories/${ID}-${VARIANT}.patch)
  endif()
  coppice_version(${version} "${decide}")
  add_executable(${target} ${PROJECT_SOURCE_DIR}/stories/${ID}.c ${version} $<TARGET_OBJECTS:coppice_stage_sim> ${SOURCES})
  add_dependencies(${target} coppice_sim_version)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/stories/bin)
  if(DIR)
    target_include_directories(${target} BEFORE PRIVATE ${DIR})
    target_compile_options(${target} PRIVATE -fmacro-prefix-map=${DIR}/=)
  endif()
  # A patched copy may leave things unused.
  target_compile_options(${target} PRIVATE -O1 $<$<BOOL:${DIR}>:-w>)
  target_link_libraries(${target} PRIVATE coppice_checker)
  # A sanitizer sees in some executions what it would see in all.
  set(bound)
  if(COPPICE_SANITIZE)
    set(bound --bound 2000)
  endif()
  add_test(NAME sim.${ID}.${VARIANT} COMMAND ${target} ${VARIANT} ${bound})
  set_tests_properties(sim.${ID}.${VARIANT} PROPERTIES TIMEOUT 600)
endfunction()

# The same on the host: real threads. It cannot see every rule broken; then it says so and the test is skipped.
function(coppice_host_program ID VARIANT DIR SOURCES CHANGED)
  # A stage with memory is simulated only.
  file(STRINGS ${PROJECT_SOURCE_DIR}/stories/${ID}.c simulated REGEX "stories/(memory|space|gup)[.]h|On the simulated machine only")
  if(simulated)
    return()
  endif()
  set(target host_${ID}_${VARIANT})
  add_executable(${target} ${PROJECT_SOURCE_DIR}/stories/${ID}.c ${PROJECT_SOURCE_DIR}/stories/stage_host.c
    ${PROJECT_SOURCE_DIR}/stories/stage_format.c)
  target_compile_definitions(${target} PRIVATE COP_PORT_HEADER="ports/host/port.h")
  if(DIR)
    target_sources(${target} PRIVATE ${SOURCES} $<TARGET_OBJECTS:coppice_host>
      $<FILTER:$<TARGET_OBJECTS:coppice_rooms>,EXCLUDE,${CHANGED}>)
    target_include_directories(${target} BEFORE PRIVATE ${DIR})
    target_compile_options(${target} PRIVATE -O1 -w)
    target_link_libraries(${target} PRIVATE coppice_options PkgConfig::URCU Threads::Threads)
  else()
    target_link_libraries(${target} PRIVATE coppice)
  endif()
  add_test(NAME host.${ID}.${VARIANT} COMMAND ${target} ${VARIANT})
  set_tests_properties(host.${ID}.${VARIANT} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
endfunction()

# The same beside the stories, for `coppice bench checker`.
function(coppice_sim_bench NAME ROUNDS)
  set(version ${PROJECT_BINARY_DIR}/stories/version/bench_${NAME}.c)
  coppice_version(${version} "${PROJECT_BINARY_DIR}/stories/version/common;${PROJECT_SOURCE_DIR}/bench/machine/steps.c")
  add_executable(sim_bench_${NAME} ${PROJECT_SOURCE_DIR}/bench/machine/steps.c ${version}
    $<TARGET_OBJECTS:coppice_stage_sim> $<TARGET_OBJECTS:coppice_sim_rooms>)
  add_dependencies(sim_bench_${NAME} coppice_sim_version)
  set_target_properties(sim_bench_${NAME} PROPERTIES OUTPUT_NAME ${NAME}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/stories/bench)
  target_compile_definitions(sim_bench_${NAME} PRIVATE ROUNDS=${ROUNDS})
  target_link_libraries(sim_bench_${NAME} PRIVATE coppice_checker)
endfunction()

set(sources ${COPPICE_SIM_FILES})
list(FILTER sources INCLUDE REGEX "^tables/.*\\.c$")
if(sources)
  set(sources ${COPPICE_SIM_FILES})
  list(FILTER sources INCLUDE REGEX "\\.c$")
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/)
  # The library as it is, and the stage: for every program the same.
  file(GLOB stage CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/stories/stage_*.c ${PROJECT_SOURCE_DIR}/stories/run_sim.c)
  list(FILTER stage EXCLUDE REGEX "/stage_host\\.c$")
  # What decides what a step of a schedule means, beside story and patch.
  file(GLOB decide CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/coppice/*.h ${PROJECT_SOURCE_DIR}/ports/sim/*.[ch]
    ${PROJECT_SOURCE_DIR}/checker/*.[ch] ${PROJECT_SOURCE_DIR}/checker/engine/*.[chS] ${PROJECT_SOURCE_DIR}/stories/*.h)
  set(rooms ${COPPICE_SIM_FILES})
  list(TRANSFORM rooms PREPEND ${PROJECT_SOURCE_DIR}/)
  coppice_version(${PROJECT_BINARY_DIR}/stories/version/common "${decide};${rooms};${stage}")
  add_custom_target(coppice_sim_version DEPENDS ${PROJECT_BINARY_DIR}/stories/version/common)
  add_library(coppice_sim_rooms OBJECT ${sources})
  target_link_libraries(coppice_sim_rooms PRIVATE coppice_checker)
  add_library(coppice_stage_sim OBJECT ${stage})
  target_link_libraries(coppice_stage_sim PRIVATE coppice_checker)
  # What a story from elsewhere is linked with. The tool finds it, the sources and the flags by the file "kit".
  add_library(coppice_stories STATIC $<TARGET_OBJECTS:coppice_stage_sim> $<TARGET_OBJECTS:coppice_sim_rooms>)
  set(flags)
  if(COPPICE_SANITIZE)
    set(flags "-fsanitize=${COPPICE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all")
  endif()
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/stories/kit
    CONTENT "${PROJECT_SOURCE_DIR}\n${PROJECT_BINARY_DIR}\n${flags}\n")
  file(GLOB stories CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/stories/*.c)
  list(FILTER stories INCLUDE REGEX "/[A-Z]+[0-9]+\\.c$")
  coppice_sim_bench(steps50 2)
  coppice_sim_bench(steps200 8)
  foreach(story ${stories})
    get_filename_component(id ${story} NAME_WE)
    coppice_sim_program(${id} fixed "" $<TARGET_OBJECTS:coppice_sim_rooms>)
    coppice_host_program(${id} fixed "" "" "")
    # The library as it is, under more actors.
    file(STRINGS ${story} crowded REGEX "[.]name = \"3-cpus\"")
    if(crowded)
      coppice_sim_program(${id} 3-cpus "" $<TARGET_OBJECTS:coppice_sim_rooms>)
    endif()
    set(patches)
    if(COPPICE_BROKEN)
      file(GLOB patches CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/stories/${id}-*.patch)
    endif()
    foreach(patch ${patches})
      get_filename_component(variant ${patch} NAME_WE)
      string(REPLACE "${id}-" "" variant ${variant})
      set(dir ${PROJECT_BINARY_DIR}/stories/${id}-${variant})
      coppice_patched_rooms(${dir} ${patch} patched changed)
      add_custom_target(patched_${id}_${variant} DEPENDS ${patched})
      coppice_sim_program(${id} ${variant} ${dir}
        "${patched};$<FILTER:$<TARGET_OBJECTS:coppice_sim_rooms>,EXCLUDE,${changed}>")
      coppice_host_program(${id} ${variant} ${dir} "${patched}" ${changed})
      # Two programs of one copy: it is made once.
      add_dependencies(sim_${id}_${variant} patched_${id}_${variant})
      if(TARGET host_${id}_${variant})
        add_dependencies(host_${id}_${variant} patched_${id}_${variant})
      endif()
    endforeach()
  endforeach()
endif()
