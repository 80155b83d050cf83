//===- OutputPlace.h - Where an output goes ---------------------*- C++ -*-===//
//
// A path that somebody gave for an output  =>  the file to replace, or the
// stream to write to; or why it cannot be written.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_FILES_OUTPUTPLACE_H
#define LLAMA_FILES_OUTPUTPLACE_H

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace llamafiles {

/// Whether an output is written from its beginning to its end, as a pipe takes
/// it, or goes back to what it wrote before.
enum class Order { Streamed, Anywhere };

struct OutputPlace {
  std::string path;                ///< of a file, with all links followed
  bool isStream = false;           ///< a pipe, a device or a standard stream
  int standard = -1;               ///< that standard stream: 1 or 2
  std::optional<mode_t> mode = {}; ///< permissions of the file that is there

  /// A descriptor of a stream, to be closed; -1 and errno if there is none.
  int openStream() const;
};

/// Finds the place: "-" is standard output, and so is a path that is the same
/// file; symbolic links lead to their file, there or not. Returns "" or a line
/// "PATH: is a file that is read, ..." if it is what the process reads (InputFiles.h), a
/// folder, or a stream that cannot take the output.
std::string findOutputPlace(const std::string &path, Order order,
                            OutputPlace &place);

/// An output that was asked for.
struct Output {
  std::string path;
  Order order;
};

/// What findOutputPlace says of the first that has no place, or a line "PATH:
/// is where two outputs go, ..." if two of them are one file; "" if all can be
/// written.
std::string checkOutputs(const std::vector<Output> &outputs);

/// The path at the end of symbolic links, where nothing need be.
std::string followLinks(const std::string &path);

/// What findOutputPlace says of standard output, for what a program prints.
std::string checkStandardOutput();

} // namespace llamafiles

#endif // LLAMA_FILES_OUTPUTPLACE_H
