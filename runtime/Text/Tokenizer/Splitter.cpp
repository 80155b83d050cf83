//===- Splitter.cpp - Text to the pieces that merges stay within ----------===//
//
// Every pattern matches at every place of a valid text, so matches are anchored
// and follow each other without gaps.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/Splitter.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <string>

using namespace llamaabi;

namespace llamart {
namespace {

// Insides of character classes. LETTER and NUMBER add to PCRE2's tables what
// Unicode 15 and 16 assigned.
#define SPACE                                                                  \
  "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"             \
  "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"
#define LETTER                                                                 \
  "\\p{L}\\x{1C89}\\x{1C8A}\\x{A7CB}-\\x{A7CD}\\x{A7DA}-\\x{A7DC}"             \
  "\\x{105C0}-\\x{105F3}\\x{10D4A}-\\x{10D65}\\x{10D6F}-\\x{10D85}"            \
  "\\x{10EC2}-\\x{10EC4}\\x{1123F}\\x{11240}\\x{11380}-\\x{11389}"             \
  "\\x{1138B}\\x{1138E}\\x{11390}-\\x{113B5}\\x{113B7}\\x{113D1}\\x{113D3}"    \
  "\\x{11BC0}-\\x{11BE0}\\x{11F02}\\x{11F04}-\\x{11F10}\\x{11F12}-\\x{11F33}"  \
  "\\x{1342F}\\x{13441}-\\x{13446}\\x{13460}-\\x{143FA}\\x{16100}-\\x{1611D}"  \
  "\\x{16D40}-\\x{16D6C}\\x{18CFF}\\x{1B132}\\x{1B155}\\x{1DF25}-\\x{1DF2A}"   \
  "\\x{1E030}-\\x{1E06D}\\x{1E4D0}-\\x{1E4EB}\\x{1E5D0}-\\x{1E5ED}\\x{1E5F0}"  \
  "\\x{2B739}\\x{2EBF0}-\\x{2EE5D}\\x{31350}-\\x{323AF}"
#define NUMBER                                                                 \
  "\\p{N}\\x{10D40}-\\x{10D49}\\x{116D0}-\\x{116E3}\\x{11BF0}-\\x{11BF9}"      \
  "\\x{11F50}-\\x{11F59}\\x{16130}-\\x{16139}\\x{16D70}-\\x{16D79}"            \
  "\\x{1CCF0}-\\x{1CCF9}\\x{1D2C0}-\\x{1D2D3}\\x{1E4F0}-\\x{1E4F9}"            \
  "\\x{1E5F1}-\\x{1E5FA}"

// Llama 3: a contraction; a word with what stands before it; up to three
// digits; marks with a space before and line ends after them; line ends with
// the space before them; space, the last one left to the word that follows.
constexpr const char *kLlama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
                                "|[^\\r\\n" LETTER NUMBER "]?[" LETTER "]+"
                                "|[" NUMBER "]{1,3}"
                                "| ?[^" SPACE LETTER NUMBER "]+[\\r\\n]*"
                                "|[" SPACE "]*[\\r\\n]+"
                                "|[" SPACE "]+(?![^" SPACE "])"
                                "|[" SPACE "]+";

constexpr const char *kGpt2 = "'s|'t|'re|'ve|'m|'ll|'d"
                              "| ?[" LETTER "]+"
                              "| ?[" NUMBER "]+"
                              "| ?[^" SPACE LETTER NUMBER "]+"
                              "|[" SPACE "]+(?![^" SPACE "])"
                              "|[" SPACE "]+";

// GPT-2's pattern on each stretch between two digits: a digit stands alone, and
// space in front of one is at the end of its stretch.
constexpr const char *kSmolLM = "[" NUMBER "]"
                                "|'s|'t|'re|'ve|'m|'ll|'d"
                                "| ?[" LETTER "]+"
                                "| ?[^" SPACE LETTER NUMBER "]+"
                                "|[" SPACE "]+(?![^" SPACE NUMBER "])"
                                "|[" SPACE "]+";

const char *getPattern(SplitRule rule) {
  switch (rule) {
  case SplitRule::Llama3:
    return kLlama3;
  case SplitRule::GPT2:
    return kGpt2;
  case SplitRule::SmolLM:
    return kSmolLM;
  }
  return kLlama3;
}

struct FreeMatchData {
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
};

struct FreeMatchContext {
  void operator()(pcre2_match_context *context) const {
    pcre2_match_context_free(context);
  }
};

/// Bytes of the match at `at`. Long runs of one class need as many steps as
/// they have characters, so the step limit is lifted.
size_t matchAt(const pcre2_code *code, std::string_view text, size_t at,
               pcre2_match_data *data) {
  auto *subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  constexpr uint32_t options = PCRE2_NO_UTF_CHECK;
  int found =
      pcre2_match(code, subject, text.size(), at, options, data, nullptr);
  if (found < 0) { // the JIT's stack or a limit: the interpreter has none
    std::unique_ptr<pcre2_match_context, FreeMatchContext> unlimited(
        pcre2_match_context_create(nullptr));
    if (!unlimited)
      throw std::bad_alloc();
    pcre2_set_match_limit(unlimited.get(), UINT32_MAX);
    pcre2_set_heap_limit(unlimited.get(), UINT32_MAX);
    pcre2_set_depth_limit(unlimited.get(), UINT32_MAX);
    found = pcre2_match(code, subject, text.size(), at, options | PCRE2_NO_JIT,
                        data, unlimited.get());
  }
  if (found < 0) // not reached: every pattern matches everywhere
    throw Error(ErrorKind::System, "tokenizer: splitting failed at byte ", at,
                " of a text with PCRE2's code ", found);
  return pcre2_get_ovector_pointer(data)[1] - at;
}

} // namespace

Splitter::~Splitter() { pcre2_code_free(static_cast<pcre2_code *>(code)); }

void Splitter::compile() const {
  int error = 0;
  PCRE2_SIZE where = 0;
  const char *pattern = getPattern(rule);
  pcre2_code *made = pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED,
      PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, &error,
      &where, nullptr);
  if (!made)
    throw Error(ErrorKind::System, "tokenizer: PCRE2 refuses the pattern at ",
                where, " with code ", error);
  // Without executable memory there is no JIT; the interpreter does the same.
  (void)pcre2_jit_compile(made, PCRE2_JIT_COMPLETE);
  code = made;
}

void Splitter::splitValid(
    std::string_view text, void *matchData,
    const std::function<void(std::string_view)> &take) const {
  for (size_t at = 0; at < text.size();) {
    size_t length = matchAt(static_cast<pcre2_code *>(code), text, at,
                            static_cast<pcre2_match_data *>(matchData));
    take(text.substr(at, length));
    at += length;
  }
}

void Splitter::split(std::string_view text,
                     const std::function<void(std::string_view)> &take) const {
  std::call_once(compiled, [this] { compile(); });
  std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create(1, nullptr));
  if (!data)
    throw std::bad_alloc();
  while (!text.empty()) {
    size_t valid = getValidPrefix(text);
    splitValid(text.substr(0, valid), data.get(), take);
    text.remove_prefix(valid);
    size_t invalid = getInvalidPrefix(text);
    if (invalid > 0)
      take(text.substr(0, invalid));
    text.remove_prefix(invalid);
  }
}

} // namespace llamart
