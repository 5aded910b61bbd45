# make install: headers, static and shared library, pkg-config file, tool, bundled maps, manual page; stories, and what a story
# from elsewhere, or a change to the library, is compiled with.
include(GNUInstallDirs)
install(TARGETS coppice coppice_shared DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/coppice DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# What a program over the host port compiles with; other ports bring their own COP_PORT_HEADER.
install(DIRECTORY ports/host DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/coppice-ports/ports FILES_MATCHING PATTERN "*.h")
# The prefix is known only when installing.
install(CODE "
  set(PROJECT_VERSION \"${PROJECT_VERSION}\")
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
  set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
  get_filename_component(CMAKE_INSTALL_PREFIX \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE)
  configure_file(\"${PROJECT_SOURCE_DIR}/cmake/coppice.pc.in\" \"${PROJECT_BINARY_DIR}/coppice.pc\" @ONLY)")
install(FILES ${PROJECT_BINARY_DIR}/coppice.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(TARGETS coppice_tool DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY maps DESTINATION ${CMAKE_INSTALL_DATADIR}/coppice)
install(FILES docs/coppice.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(TARGET coppice_stories)
  install(TARGETS coppice_stories coppice_checker coppice_engine ARCHIVE DESTINATION lib/coppice)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/stories/bin/ DESTINATION lib/coppice/stories USE_SOURCE_PERMISSIONS)
  install(DIRECTORY ${COPPICE_SIM_ROOMS} stories DESTINATION ${CMAKE_INSTALL_DATADIR}/coppice/src)
  install(DIRECTORY include/coppice DESTINATION ${CMAKE_INSTALL_DATADIR}/coppice/src/include)
  install(DIRECTORY ports/sim DESTINATION ${CMAKE_INSTALL_DATADIR}/coppice/src/ports FILES_MATCHING PATTERN "*.h")
  install(DIRECTORY checker DESTINATION ${CMAKE_INSTALL_DATADIR}/coppice/src FILES_MATCHING PATTERN "*.h")
endif()
