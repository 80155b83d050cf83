//===- ModelFiles.h - Files that a model is read from -----------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_MODELFILES_H
#define LLAMA_RUNTIME_TOOLS_MODELFILES_H

#include "files/InputFiles.h"
#include "files/OutputPlace.h"
#include "llamart/llamart.hpp"
#include "runtime/CInterface/Handles.h"

#include <filesystem>
#include <stdexcept>
#include <string>

namespace llamart::tools {

/// Notes the file of a model, and that of its weights if they are beside it.
/// Throws std::runtime_error if standard output is one that is read.
inline void noteModel(const std::string &path, const api::Model &model) {
  llamafiles::noteInput(path);
  const llamaabi::ModelInfo &info = model.get()->model->getInfo();
  if (info.storage == llamaabi::WeightStorage::External)
    llamafiles::noteInput(
        std::filesystem::path(path).replace_filename(info.weightsFile));
  std::string problem = llamafiles::checkStandardOutput();
  if (!problem.empty())
    throw std::runtime_error(problem);
}

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MODELFILES_H
