//===- TracePage.h - A trace as a page to look at ---------------*- C++ -*-===//
//
// FILE.jsonl of llama-generate --trace  =>  FILE.html, which needs nothing
// else: the text coloured, the plane of entropy and varentropy, metrics over
// time.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_TRACEPAGE_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_TRACEPAGE_H

#include <string>

namespace llamart::tools {

/// Throws std::runtime_error, "file: what", if the one cannot be read or the
/// other not written.
void writeTracePage(const std::string &trace, const std::string &page);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_TRACEPAGE_H
