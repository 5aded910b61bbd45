# cmake -DOUT= -DNAMES= -P: a hash of the files named in the file NAMES, one a line. As C where OUT ends in .c: what a schedule
# says it is for.
file(STRINGS ${NAMES} files)
set(all)
foreach(file ${files})
  file(SHA256 ${file} hash)
  string(APPEND all ${hash})
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 12 hash)
if(OUT MATCHES "\\.c$")
  set(hash "#include \"stories/stage_sim.h\"\n\nconst char stage_version[] = \"${hash}\";\n")
endif()
file(WRITE ${OUT} "${hash}")
