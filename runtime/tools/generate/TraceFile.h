//===- TraceFile.h - A line of JSON about every token -----------*- C++ -*-===//
//
// The first line says what was run, each other one is a token:
//
//   {"model": "...", "sampler": {...}, "thresholds": {...}, "prompt": "..."}
//   {"position": 5, "id": 42, "text": " was", "probability": 0.4, "entropy":
//    2.1, "varentropy": 3.0, "state": "LEHV", "candidates": [{"id": 42, "text":
//    " was", "probability": 0.5}], "attention": {"entropy": 3.1, ...}}
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_TRACEFILE_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_TRACEFILE_H

#include "files/WholeFile.h"
#include "llamart/llamart.hpp"

#include <optional>
#include <string>

namespace llamart::tools {

class TraceFile {
public:
  /// `config` is the sampler's, as JSON. Throws std::runtime_error if the file
  /// cannot be written.
  TraceFile(const std::string &path, const api::Model &model,
            const std::string &config, const std::string &prompt);

  void write(const llamart_step &step);

  /// Ends the file; throws if not all of it could be written.
  void finish();

private:
  void writeLine(const std::string &line);

  llamafiles::WholeFile file;
  const api::Model &model;
  std::optional<api::Decoder> decoder; ///< if there is a tokenizer
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_TRACEFILE_H
