//===- JsonSteps.cpp - Normalizers, Metaspace and decoders of tokenizer.json ===//
//
// The meaning of each type is that of the class of its name in `tokenizers`.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/JsonSteps.h"

#include "weights/InputError.h"
#include "weights/Tokenizers/SpaceSymbol.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using llamaabi::TextPhase;
using llamaabi::TextStepKind;
using nlohmann::json;

namespace llamaweights {

//===----------------------------------------------------------------------===//
// Normalizer
//===----------------------------------------------------------------------===//

static bool isSpaceReplacement(const json &step) {
  return getType(step) == "Replace" &&
         getString(getMember(step, "pattern"), "String") == " " &&
         getString(step, "content") == kSpaceSymbol;
}

static Error addReplacement(const BpeReader &reader, const json &step,
                            JsonSteps &steps) {
  if (isSpaceReplacement(step)) {
    steps.steps.push_back(
        {TextStepKind::Replace, TextPhase::Normalize, kSpaceSymbol.str(), " "});
    steps.mapsSpaces = true;
    return Error::success();
  }
  StringRef from = getString(getMember(step, "pattern"), "String");
  if (from.empty() || !getMember(step, "content").is_string())
    return reader.fail("normalizer",
                       "'Replace' with the pattern " +
                           quote(getMember(step, "pattern").dump()) +
                           " is not supported, expected a string");
  steps.steps.push_back({TextStepKind::Replace, TextPhase::Normalize,
                         from.str(), getString(step, "content").str()});
  return Error::success();
}

static Error addNormalizer(const BpeReader &reader, const json &step,
                           JsonSteps &steps) {
  StringRef type = getType(step);
  if (steps.mapsSpaces && type != "Prepend")
    return reader.fail("normalizer",
                       quote(type) + " after spaces have become '\xE2\x96\x81' "
                                     "is not supported");
  auto add = [&](TextStepKind kind, std::string to = "") {
    steps.steps.push_back({kind, TextPhase::Normalize, "", std::move(to)});
    return Error::success();
  };
  if (type == "Replace")
    return addReplacement(reader, step, steps);
  if (type == "Prepend") {
    StringRef text = getString(step, "prepend");
    return add(TextStepKind::Prepend,
               steps.mapsSpaces ? withSpaces(text) : text.str());
  }
  if (type == "Strip") {
    if (getBool(step, "strip_left", true))
      cantFail(add(TextStepKind::StripLeft));
    if (getBool(step, "strip_right", true))
      cantFail(add(TextStepKind::StripRight));
    return Error::success();
  }
  auto kind = StringSwitch<std::optional<TextStepKind>>(type)
                  .Case("NFC", TextStepKind::NFC)
                  .Case("NFD", TextStepKind::NFD)
                  .Case("NFKC", TextStepKind::NFKC)
                  .Case("NFKD", TextStepKind::NFKD)
                  .Case("Lowercase", TextStepKind::Lowercase)
                  .Default(std::nullopt);
  if (!kind)
    return reader.fail("normalizer", quote(type) + " is not supported");
  return add(*kind);
}

Error readNormalizer(const BpeReader &reader, JsonSteps &steps) {
  for (const json &step :
       getSteps(getMember(reader.root, "normalizer"), "normalizers"))
    if (Error error = addNormalizer(reader, step, steps))
      return error;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Metaspace
//===----------------------------------------------------------------------===//

Error readMetaspace(const BpeReader &reader, JsonSteps &steps) {
  auto found =
      getSteps(getMember(reader.root, "pre_tokenizer"), "pretokenizers");
  if (found.empty())
    return Error::success();
  const json &step = found[0];
  if (found.size() != 1 || getType(step) != "Metaspace")
    return reader.fail("pre_tokenizer", "expected null or 'Metaspace', found " +
                                            describeSteps(found));
  if (getString(step, "replacement") != kSpaceSymbol)
    return reader.fail("pre_tokenizer.replacement",
                       "expected '\xE2\x96\x81', found " +
                           quote(getString(step, "replacement")));
  auto add = [&](TextStepKind kind, StringRef from, StringRef to) {
    steps.steps.push_back({kind, TextPhase::PreTokenize, from.str(), to.str()});
  };
  add(TextStepKind::Replace, kSpaceSymbol, " ");
  steps.mapsSpaces = true;
  StringRef scheme = getString(step, "prepend_scheme");
  bool hasPrefix = getBool(step, "add_prefix_space", true);
  if (scheme.empty()) // of files before there were schemes
    scheme = hasPrefix ? "always" : "never";
  else if (!hasPrefix && scheme != "never")
    return reader.fail("pre_tokenizer.add_prefix_space",
                       "is false, but prepend_scheme is " + quote(scheme));
  if (scheme == "always")
    add(TextStepKind::PrefixAlways, "", " ");
  else if (scheme == "first")
    add(TextStepKind::PrefixFirst, "", " ");
  else if (scheme != "never")
    return reader.fail("pre_tokenizer.prepend_scheme",
                       "expected 'always', 'first' or 'never', found " +
                           quote(scheme));
  if (getBool(step, "split", true))
    add(TextStepKind::CutBefore, " ", "");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Decoder
//===----------------------------------------------------------------------===//

/// One step; `hasSpaces`: U+2581 has become a space, `isFused`: the tokens have
/// become one text.
static Error readDecoderStep(const BpeReader &reader, const json &step,
                             bool &hasSpaces, bool &hasBytes, bool &isFused,
                             Vocabulary &vocabulary) {
  StringRef type = getType(step);
  if (type == "ByteFallback") {
    hasBytes = true;
    return Error::success();
  }
  if (type == "Fuse") {
    isFused = true;
    return Error::success();
  }
  if (type == "Replace" &&
      getString(getMember(step, "pattern"), "String") == kSpaceSymbol &&
      getString(step, "content") == " ") {
    hasSpaces = true;
    return Error::success();
  }
  if (type == "Metaspace" && getString(step, "replacement") == kSpaceSymbol) {
    hasSpaces = true;
    StringRef scheme = getString(step, "prepend_scheme");
    vocabulary.dropFirstSpaces = scheme.empty()
                                     ? getBool(step, "add_prefix_space", true)
                                     : scheme != "never";
    return Error::success();
  }
  if (type == "Strip" && isFused && getString(step, "content") == " " &&
      getMember(step, "start") == 1 && getMember(step, "stop") == 0) {
    vocabulary.addSpacePrefix = true;
    return Error::success();
  }
  return reader.fail("decoder",
                     "step " + quote(step.dump()) + " is not supported");
}

Error readPieceDecoder(const BpeReader &reader, bool mapsSpaces,
                       Vocabulary &vocabulary) {
  auto steps = getSteps(getMember(reader.root, "decoder"), "decoders");
  if (steps.empty())
    return Error::success();
  bool hasSpaces = !mapsSpaces, isFused = false;
  bool hasBytes = !is_contained(vocabulary.types, TokenType::Byte);
  for (const json &step : steps)
    if (Error error = readDecoderStep(reader, step, hasSpaces, hasBytes,
                                      isFused, vocabulary))
      return error;
  if (!hasSpaces || !hasBytes)
    return reader.fail("decoder", Twine("expected a step that makes ") +
                                      (hasSpaces ? "bytes of '<0x0A>'"
                                                 : "spaces of '\xE2\x96\x81'") +
                                      ", found " + describeSteps(steps));
  return Error::success();
}

} // namespace llamaweights
