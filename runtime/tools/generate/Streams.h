//===- Streams.h - Standard input and output, and files ---------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_STREAMS_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_STREAMS_H

#include <string>
#include <string_view>

namespace llamart::tools {

/// All of a file; "-" is standard input. Throws std::runtime_error.
std::string readFile(const std::string &path);

/// On standard output, shown at once: it may be a person who reads. Throws
/// std::runtime_error if it cannot be written, or is a file that was read.
void print(std::string_view text);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_STREAMS_H
