# The library: the freestanding rooms, compiled like a kernel (no vector registers), over the host port.
set(COPPICE_ROOMS formats tables memory spaces hotplug)
set(COPPICE_ROOM_SOURCES)
foreach(room ${COPPICE_ROOMS})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.c)
  list(APPEND COPPICE_ROOM_SOURCES ${sources})
endforeach()
file(GLOB COPPICE_HOST_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ports/host/*.c)

set(COPPICE_KERNEL_FLAGS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|aarch64|arm64")
  set(COPPICE_KERNEL_FLAGS -mgeneral-regs-only)
endif()

set(COPPICE_OBJECTS)
if(COPPICE_ROOM_SOURCES)
  add_library(coppice_rooms OBJECT ${COPPICE_ROOM_SOURCES})
  target_link_libraries(coppice_rooms PUBLIC coppice_options PkgConfig::URCU)
  target_compile_definitions(coppice_rooms PUBLIC COP_PORT_HEADER="ports/host/port.h")
  # As the port's own: what RCU readers touch is found without a call.
  target_compile_options(coppice_rooms PRIVATE ${COPPICE_KERNEL_FLAGS} -fPIC -ftls-model=initial-exec)
  list(APPEND COPPICE_OBJECTS $<TARGET_OBJECTS:coppice_rooms>)
endif()

add_library(coppice_host OBJECT ${COPPICE_HOST_SOURCES})
target_link_libraries(coppice_host PUBLIC coppice_options PkgConfig::URCU)
target_compile_definitions(coppice_host PUBLIC COP_PORT_HEADER="ports/host/port.h")
target_compile_options(coppice_host PRIVATE -fPIC)
list(APPEND COPPICE_OBJECTS $<TARGET_OBJECTS:coppice_host>)

add_library(coppice STATIC ${COPPICE_OBJECTS})
add_library(coppice_shared SHARED ${COPPICE_OBJECTS})
set_target_properties(coppice_shared PROPERTIES OUTPUT_NAME coppice VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR})
foreach(library coppice coppice_shared)
  target_link_libraries(${library} PUBLIC coppice_options PkgConfig::URCU Threads::Threads)
  target_compile_definitions(${library} PUBLIC COP_PORT_HEADER="ports/host/port.h")
endforeach()
