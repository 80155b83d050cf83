//===- Streams.cpp - Standard input and output, and files -----------------===//

#include "runtime/tools/generate/Streams.h"

#include "files/InputFiles.h"
#include "files/OutputPlace.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace llamart::tools {

std::string readFile(const std::string &path) {
  bool standard = path == "-";
  int file = standard ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0)
    llamafiles::noteInput(file);
  std::string text;
  char buffer[65536];
  ssize_t got = file < 0 ? -1 : 1;
  while (got > 0 && (got = read(file, buffer, sizeof(buffer))) > 0)
    text.append(buffer, got);
  int error = errno;
  if (file >= 0 && !standard)
    close(file);
  if (got < 0)
    throw std::runtime_error(path + ": " + std::strerror(error));
  return text;
}

void print(std::string_view text) {
  std::string problem = llamafiles::checkStandardOutput();
  if (!problem.empty())
    throw std::runtime_error(problem);
  size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0)
    throw std::runtime_error(std::string("standard output: ") +
                             std::strerror(errno));
}

} // namespace llamart::tools
