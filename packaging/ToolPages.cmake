# Manual pages, made of what the tools print for --help, and completion for bash,
# which asks them when it is used.
set(NAME_llama-generate "generate text with a compiled Llama model")
set(NAME_llama-measure "measure speed and quality of a compiled Llama model")
set(NAME_llama-compile "compile a Llama checkpoint into one shared object")
set(NAME_llama-weights "inspect, check and convert Llama checkpoints")

find_program(HELP2MAN help2man)
find_program(GZIP gzip)
if(CMAKE_CROSSCOMPILING OR NOT HELP2MAN OR NOT GZIP)
  message(STATUS "No manual pages: they need help2man and gzip, and tools that run here")
endif()
foreach(tool IN LISTS TOOLS)
  string(REGEX REPLACE ".*:" "" component ${tool})
  string(REGEX REPLACE ":.*" "" tool ${tool})
  install(FILES completion.bash RENAME ${tool}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT ${component})
  if(HELP2MAN AND GZIP AND NOT CMAKE_CROSSCOMPILING)
    set(page ${CMAKE_CURRENT_BINARY_DIR}/${tool}.1)
    add_custom_command(OUTPUT ${page}.gz
      COMMAND ${HELP2MAN} --no-info --name=${NAME_${tool}} --source=llama-compile
        --version-string=${PROJECT_VERSION} --output=${page} $<TARGET_FILE:${tool}>
      COMMAND ${GZIP} -9nf ${page}
      DEPENDS ${tool} VERBATIM)
    list(APPEND pages ${page}.gz)
    install(FILES ${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT ${component})
  endif()
endforeach()
add_custom_target(tool-pages ALL DEPENDS ${pages})
