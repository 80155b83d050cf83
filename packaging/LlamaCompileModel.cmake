# llama_compile_model(NAME CHECKPOINT FOLDER [OPTIONS ...])
#
# A library NAME that has the model inside: `extern const llamart_linked_model
# NAME;` for llamart_model_open_linked. OPTIONS go to llama-compile as they are.
# It links no runtime: that is llamart::llamart or llamart::static.
function(llama_compile_model name)
  cmake_parse_arguments(PARSE_ARGV 1 MODEL "" CHECKPOINT OPTIONS)
  get_filename_component(checkpoint "${MODEL_CHECKPOINT}" ABSOLUTE)
  if(NOT LLAMA_COMPILE)
    message(FATAL_ERROR "llama_compile_model(${name}): llama-compile is not found: install it (Debian: llama-compile), "
      "or say where it is with -DLLAMA_COMPILE=FILE")
  elseif(NOT MODEL_CHECKPOINT OR NOT EXISTS "${checkpoint}" OR MODEL_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "llama_compile_model(${name}): expected CHECKPOINT and a file or folder that is there, "
      "found '${MODEL_CHECKPOINT}' '${MODEL_UNPARSED_ARGUMENTS}'")
  endif()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${checkpoint}" "${checkpoint}/*")
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.model.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${LLAMA_COMPILE} ${checkpoint} --symbol-prefix=${name} --emit=obj ${MODEL_OPTIONS} --quiet -o ${object}
    DEPENDS ${files} ${LLAMA_COMPILE}
    COMMENT "Compiling ${checkpoint}" VERBATIM)
  add_library(${name} STATIC ${object})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
endfunction()
