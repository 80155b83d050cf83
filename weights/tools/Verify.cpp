//===- Verify.cpp - llama-weights verify ----------------------------------===//
//
// First the files, by checklist.chk, by the CRCs of zip files and by a
// manifest; then the structure, which the readers check; then every number. A
// line for each complaint, and the last line is the sum.
//
//===----------------------------------------------------------------------===//

#include "files/OutputPlace.h"
#include "weights/Formats/Integrity.h"
#include "weights/InputError.h"
#include "weights/OutputFile.h"
#include "weights/ProgressBar.h"
#include "weights/tools/Commands.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr uint64_t kLongestList = uint64_t(64) << 20;

class Verifier {
public:
  Verifier(StringRef path, LinkPolicy links, const VerifyOptions &options)
      : path(path), links(links), options(options),
        folder(sys::fs::is_directory(path)
                   ? path.str()
                   : sys::path::parent_path(path).str()) {}

  Expected<int> run();

private:
  Error readManifest();
  Error checkChecklist();
  Error checkFile(
      StringRef name, StringRef expected, StringRef listName,
      function_ref<Expected<std::string>(StringRef, ScanProgress)> getSum);
  Error checkTensors(const Subject &subject);
  Error checkTensor(const Subject &subject, const TensorInfo &tensor,
                    ProgressBar &progress);
  void compareWithManifest(const TensorInfo &tensor, StringRef hash);
  Error writeManifest(const Subject &subject);
  Error checkOutputs();

  void complain(const Twine &where, const Twine &message) {
    errs() << "llama-weights: " << where << ": " << message << "\n";
    ++complaints;
  }
  void complain(Error error) {
    errs() << "llama-weights: " << toString(std::move(error)) << "\n";
    ++complaints;
  }
  static std::string name(const TensorInfo &tensor) {
    return "tensor " + quote(tensor.name);
  }

  StringRef path;
  LinkPolicy links;
  const VerifyOptions &options;
  std::string folder;
  std::optional<HashManifest> expected;
  HashManifest found;
  int complaints = 0;
};

Expected<std::string> readText(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return (*file)->readAll(kLongestList);
}

Error Verifier::readManifest() {
  if (options.manifest.empty())
    return Error::success();
  Expected<std::string> text = readText(options.manifest);
  if (!text)
    return text.takeError();
  return parseManifest(*text, options.manifest).moveInto(expected);
}

Error Verifier::checkFile(
    StringRef name, StringRef wanted, StringRef listName,
    function_ref<Expected<std::string>(StringRef, ScanProgress)> getSum) {
  std::string file = getPathIn(folder, name);
  uint64_t size = 0;
  if (sys::fs::file_size(file, size)) {
    complain(file, "is listed in " + listName + ", but is not there");
    return Error::success();
  }
  ProgressBar progress(name, options.quiet, size);
  auto sum = getSum(file, [&](int64_t bytes) { progress.add(bytes); });
  if (!sum)
    return sum.takeError();
  if (*sum != wanted)
    complain(file,
             "its sum is " + *sum + ", but " + listName + " says " + wanted);
  return Error::success();
}

Error Verifier::checkChecklist() {
  std::string list = getPathIn(folder, "checklist.chk");
  if (!sys::fs::exists(list))
    return Error::success();
  Expected<std::string> text = readText(list);
  if (!text)
    return text.takeError();
  auto sums = parseChecklist(*text, list);
  if (!sums)
    return sums.takeError();
  for (const FileSum &file : *sums)
    if (Error error = checkFile(file.name, file.sum, "checklist.chk", getMd5))
      return error;
  return Error::success();
}

void Verifier::compareWithManifest(const TensorInfo &tensor, StringRef hash) {
  if (!expected)
    return;
  auto entry = expected->tensors.find(tensor.name);
  if (entry == expected->tensors.end())
    return complain(tensor.file, name(tensor) + ": is not in the manifest");
  if (entry->second.shape != tensor.shape ||
      entry->second.type != tensor.getTypeName())
    return complain(
        tensor.file,
        name(tensor) + ": is " + formatShape(tensor.shape) + " of " +
            tensor.getTypeName() + ", but the manifest says " +
            formatShape(entry->second.shape) + " of " + entry->second.type);
  if (entry->second.hash != hash)
    complain(tensor.file, name(tensor) + ": its hash is " + hash +
                              ", but the manifest says " + entry->second.hash);
}

Error Verifier::checkTensor(const Subject &subject, const TensorInfo &tensor,
                            ProgressBar &progress) {
  auto stated = subject.hashes.find(tensor.name);
  bool needHash = expected || !options.writeManifest.empty() ||
                  stated != subject.hashes.end();
  auto scan = scanTensor(subject.getCheckpoint(), tensor, {needHash, true},
                         [&](int64_t bytes) { progress.add(bytes); });
  if (!scan)
    return scan.takeError();
  const TensorStatistics &statistics = scan->statistics;
  if (statistics.badRow >= 0)
    complain(tensor.file, name(tensor) + ": holds " + Twine(statistics.nans) +
                              " NaN and " + Twine(statistics.infinities) +
                              " Inf, the first in row " +
                              Twine(statistics.badRow) + ", column " +
                              Twine(statistics.badColumn));
  if (stated != subject.hashes.end() && stated->second != scan->hash)
    complain(tensor.file, name(tensor) + ": its hash is " + scan->hash +
                              ", but the model says " + stated->second);
  compareWithManifest(tensor, scan->hash);
  found.tensors[tensor.name] = {tensor.getTypeName(), tensor.shape, scan->hash};
  return Error::success();
}

Error Verifier::checkTensors(const Subject &subject) {
  const Checkpoint &checkpoint = subject.getCheckpoint();
  std::set<std::string> files;
  for (const TensorInfo &tensor : checkpoint.getTensors())
    files.insert(tensor.file);
  for (const std::string &file : files) {
    uint64_t size = 0;
    if (sys::fs::file_size(file, size))
      continue; // reading its tensors will say so
    ProgressBar progress(sys::path::filename(file), options.quiet, size);
    if (Error error =
            checkZipSums(file, [&](int64_t bytes) { progress.add(bytes); }))
      complain(std::move(error));
  }
  ProgressBar progress("tensors", options.quiet, subject.getBytes());
  for (const TensorInfo &tensor : checkpoint.getTensors())
    if (Error error = checkTensor(subject, tensor, progress))
      return error;
  if (expected)
    for (const auto &[name, ignored] : expected->tensors)
      if (!checkpoint.find(name))
        complain(path, "tensor " + quote(name) +
                           ": is in the manifest, but not here");
  return Error::success();
}

Error Verifier::writeManifest(const Subject &subject) {
  if (options.writeManifest.empty())
    return Error::success();
  std::set<std::string> names;
  for (const TensorInfo &tensor : subject.getCheckpoint().getTensors())
    if (getPathIn(folder, sys::path::filename(tensor.file)) == tensor.file)
      names.insert(sys::path::filename(tensor.file).str());
  for (StringRef name :
       {"config.json", "params.json", "model_config.json", "tokenizer.json",
        "tokenizer.model", "model.safetensors.index.json"})
    if (sys::fs::is_directory(path) && sys::fs::exists(getPathIn(folder, name)))
      names.insert(name.str());
  for (const std::string &name : names) {
    auto sum = getBlake3(getPathIn(folder, name), [](int64_t) {});
    if (!sum)
      return sum.takeError();
    found.files.push_back({name, *sum});
  }
  std::string text = printManifest(found);
  auto file = OutputFile::create(options.writeManifest);
  if (!file)
    return file.takeError();
  if (Error error = file->appendText(text))
    return error;
  return file->keep();
}

/// That the manifest, and what is printed, do not go where something is read.
Error Verifier::checkOutputs() {
  std::string problem = llamafiles::checkStandardOutput();
  llamafiles::OutputPlace place;
  if (problem.empty() && !options.writeManifest.empty())
    problem = llamafiles::findOutputPlace(options.writeManifest,
                                          llamafiles::Order::Streamed, place);
  return problem.empty() ? Error::success() : createStringError(problem);
}

Expected<int> Verifier::run() {
  if (!sys::fs::exists(path))
    return makeInputError(path, "does not exist");
  if (Error error = readManifest())
    return std::move(error);
  if (sys::fs::is_directory(path))
    if (Error error = checkChecklist())
      return std::move(error);
  if (expected)
    for (const FileSum &file : expected->files)
      if (Error error =
              checkFile(file.name, file.sum, "the manifest", getBlake3))
        return std::move(error);
  Expected<Subject> subject = openSubject(path, links);
  if (!subject) {
    complain(subject.takeError());
    return complaints;
  }
  if (Error error = checkOutputs())
    return std::move(error);
  if (Error error = checkTensors(*subject))
    return std::move(error);
  if (complaints == 0)
    if (Error error = writeManifest(*subject))
      return std::move(error);
  outs() << path << ": " << subject->getCheckpoint().getTensors().size()
         << " tensors, " << complaints << " complaints\n";
  return complaints;
}

} // namespace

Expected<int> verify(StringRef path, LinkPolicy links,
                     const VerifyOptions &options) {
  return Verifier(path, links, options).run();
}

} // namespace llamaweights
