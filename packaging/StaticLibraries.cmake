# What a program that links libllamart.a needs besides: in STATIC_LIBS as
# pkg-config has it, in STATIC_ARCHIVES file:package of what it must find. With
# LLAMART_STATIC the archives are inside, and tools bring the C++ library along.
set(STATIC_LIBS "-lstdc++ -lm -lpthread -ldl")
set(STATIC_ARCHIVES "")
if(LLAMART_STATIC)
  target_link_options(llama-generate PRIVATE -static-libstdc++ -static-libgcc)
  target_link_options(llama-measure PRIVATE -static-libstdc++ -static-libgcc)
elseif(NOT LLAMA_IDS_ONLY)
  set(STATIC_ARCHIVES pcre2-8:libpcre2-dev utf8proc:libutf8proc-dev)
  set(STATIC_LIBS "-lpcre2-8 -lutf8proc ${STATIC_LIBS}")
endif()

if(LLAMART_STATIC AND NOT LLAMA_IDS_ONLY)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/add-archives.mri CONTENT
"CREATE $<TARGET_FILE:llamart-static>.whole
ADDLIB $<TARGET_FILE:llamart-static>
ADDLIB ${PCRE2_ARCHIVE}
ADDLIB ${UTF8PROC_ARCHIVE}
SAVE
END
")
  add_custom_command(TARGET llamart-static POST_BUILD
    COMMAND ${CMAKE_AR} -M < ${CMAKE_CURRENT_BINARY_DIR}/add-archives.mri
    COMMAND ${CMAKE_COMMAND} -E rename $<TARGET_FILE:llamart-static>.whole $<TARGET_FILE:llamart-static> VERBATIM)
endif()
