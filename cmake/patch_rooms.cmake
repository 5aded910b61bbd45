# cmake -DSOURCE= -DDIR= -DPATCH= -DROOMS= -P: copies the rooms of SOURCE to DIR and applies PATCH there. No fuzz: a patch that
# no longer fits exactly is mended, not guessed at.
file(REMOVE_RECURSE ${DIR})
foreach(room ${ROOMS})
  file(COPY ${SOURCE}/${room} DESTINATION ${DIR})
endforeach()
if(PATCH)
  execute_process(COMMAND patch -p1 --fuzz=0 --no-backup-if-mismatch -s -i ${PATCH} WORKING_DIRECTORY ${DIR}
    RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    message(FATAL_ERROR "${PATCH} does not apply:\n${said}")
  endif()
endif()
# The build compares times: everything copied is new.
file(GLOB_RECURSE files ${DIR}/*)
file(TOUCH ${files})
