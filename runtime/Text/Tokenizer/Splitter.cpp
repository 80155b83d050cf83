//===- Splitter.cpp - Text to the pieces that merges stay within ----------===//
//
// A rule of one pattern matches at every place of a valid text, so its matches
// are anchored and follow each other without gaps.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/Splitter.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

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

// Punctuation: what Unicode 15 and 16 assigned is missing from PCRE2's table.
#define PUNCTUATION                                                            \
  "\\p{P}\\x{10D6E}\\x{10EAD}\\x{11B00}-\\x{11B09}\\x{11F43}-\\x{11F4F}"
#define DEEPSEEK_LETTERS                                                       \
  "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-"       \
  "\\x{1BF}\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}"        \
  "\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}\\x{38C}"         \
  "\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}"       \
  "\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-"          \
  "\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}"         \
  "\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-"        \
  "\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}"         \
  "\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}"          \
  "\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}"         \
  "\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-"        \
  "\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}"          \
  "\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}\\x{2128}\\x{212A}-"          \
  "\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-"         \
  "\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-"          \
  "\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}"          \
  "\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-"        \
  "\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}"         \
  "\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}"                \
  "\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}"            \
  "\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"
// To llama.cpp white space is in no range of characters.
#define DEEPSEEK_CJK                                                           \
  "(?:(?![" SPACE                                                              \
  "])[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}])"
#define DEEPSEEK_MARKS                                                         \
  "[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}"           \
  "\\x{3001}\\x{3002}]"

// Llama 3: a contraction; a word with what stands before it; up to three
// digits; marks with a space before and line ends after them; line ends with
// the space before them; space, the last one left to the word that follows.
#define AFTER_NUMBERS                                                          \
  "| ?[^" SPACE LETTER NUMBER "]+[\\r\\n]*"                                    \
  "|[" SPACE "]*[\\r\\n]+"                                                     \
  "|[" SPACE "]+(?![^" SPACE "])"                                              \
  "|[" SPACE "]+"
#define WORDS                                                                  \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)"                                               \
  "|[^\\r\\n" LETTER NUMBER "]?[" LETTER "]+"

constexpr const char *kLlama3 = WORDS "|[" NUMBER "]{1,3}" AFTER_NUMBERS;
constexpr const char *kQwen2 = WORDS "|[" NUMBER "]" AFTER_NUMBERS;

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

// Mistral's as llama.cpp has it: capitals and small letters of ASCII only.
#define UPPER "(?:(?![a-z])[" LETTER "])"
#define LOWER "(?:(?![A-Z])[" LETTER "])"
constexpr const char *kTekken =
    "[^\\r\\n" LETTER NUMBER "]?" UPPER "*" LOWER "+"
    "|[^\\r\\n" LETTER NUMBER "]?" UPPER "+" LOWER "*"
    "|[" NUMBER "]"
    "| ?[^" SPACE LETTER NUMBER "]+[\\r\\n/]*"
    "|[" SPACE "]*[\\r\\n]+"
    "|[" SPACE "]+(?![^" SPACE "])"
    "|[" SPACE "]+";

/// Patterns that cut a text one after the other: what the first one matches and
/// what lies between are the pieces that the second one cuts, and so on. A
/// single pattern matches everywhere. Those from Default on are llama.cpp's.
std::vector<const char *> getPatterns(SplitRule rule) {
  switch (rule) {
  case SplitRule::Llama3:
    return {kLlama3};
  case SplitRule::GPT2:
    return {kGpt2};
  case SplitRule::SmolLM:
    return {kSmolLM};
  case SplitRule::Qwen2:
    return {kQwen2};
  case SplitRule::Default:
    return {"[" PUNCTUATION "$+<=>\\^~|]+", kGpt2, "[" NUMBER "]+",
            "[0-9][0-9][0-9]"};
  case SplitRule::Falcon:
    return {"[" PUNCTUATION "$+<=>\\^~|`]+", kGpt2, "[0-9][0-9][0-9]"};
  case SplitRule::DeepSeekLLM:
    return {"[\\r\\n]",
            "[" SPACE "]?[" DEEPSEEK_LETTERS "]+",
            "[" SPACE "]?" DEEPSEEK_MARKS "+",
            "[" SPACE "]+\\z",
            DEEPSEEK_CJK "+",
            "[" NUMBER "]+"};
  case SplitRule::DeepSeekCoder:
    return {"[\\r\\n]", "[" SPACE "]?[" LETTER "]+",
            "[" SPACE "]?[" PUNCTUATION "]+", DEEPSEEK_CJK "+", "[" NUMBER "]"};
  case SplitRule::Tekken:
    return {kTekken};
  }
  return {kLlama3};
}

struct FreeMatchData {
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
};

struct FreeMatchContext {
  void operator()(pcre2_match_context *context) const {
    pcre2_match_context_free(context);
  }
};

using Code = std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)>;

Code compile(const char *pattern, uint32_t options) {
  int error = 0;
  PCRE2_SIZE where = 0;
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern),
                          PCRE2_ZERO_TERMINATED,
                          PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | options,
                          &error, &where, nullptr),
            pcre2_code_free);
  if (!code)
    throw Error(ErrorKind::System, "tokenizer: PCRE2 refuses the pattern at ",
                where, " with code ", error);
  // Without executable memory there is no JIT; the interpreter does the same.
  (void)pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  return code;
}

/// Where the next match from `at` on begins and ends; nowhere: two ends of the
/// text. Long runs of one class need as many steps as they have characters, so
/// the step limit is lifted.
std::pair<size_t, size_t> findMatch(const pcre2_code *code,
                                    std::string_view text, size_t at,
                                    pcre2_match_data *data) {
  auto *subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  constexpr uint32_t options = PCRE2_NO_UTF_CHECK;
  int found =
      pcre2_match(code, subject, text.size(), at, options, data, nullptr);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
    // The JIT's stack or a limit: the interpreter has none.
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
  if (found == PCRE2_ERROR_NOMATCH)
    return {text.size(), text.size()};
  if (found < 0)
    throw Error(ErrorKind::System, "tokenizer: splitting failed at byte ", at,
                " of a text with PCRE2's code ", found);
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(data);
  return {range[0], range[1]};
}

using MatchData = std::unique_ptr<pcre2_match_data, FreeMatchData>;

MatchData makeMatchData() {
  MatchData data(pcre2_match_data_create(1, nullptr));
  if (!data)
    throw std::bad_alloc();
  return data;
}

/// Whether a pattern matches somewhere in a text, which may begin or end inside
/// a run of bytes that are no characters: those do not match.
bool matches(const Code &code, std::string_view text) {
  return findMatch(code.get(), text, 0, makeMatchData().get()).first <
         text.size();
}

// Rust's \w: letters, marks, digits, connectors, joiners.
#define WORD "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}]"

} // namespace

bool startsWithWord(std::string_view text) {
  static const Code code = compile("^" WORD, 0);
  return !text.empty() && stepUtf8(text).status == Utf8Status::Valid &&
         matches(code, text.substr(0, stepUtf8(text).length));
}

bool endsWithWord(std::string_view text) {
  size_t length = 0; // of the last character
  while (length < std::min<size_t>(text.size(), 4)) {
    ++length;
    if ((text[text.size() - length] & 0xC0) != 0x80)
      break;
  }
  return startsWithWord(text.substr(text.size() - length));
}

/// The compiled patterns of a rule.
struct Splitter::Patterns {
  std::vector<Code> codes;

  /// Cuts a text with the patterns from `first` on.
  void split(std::string_view text, size_t first, pcre2_match_data *data,
             const std::function<void(std::string_view)> &take) const {
    if (first == codes.size())
      return take(text);
    for (size_t at = 0; at < text.size();) {
      auto [begin, end] = findMatch(codes[first].get(), text, at, data);
      if (begin > at)
        split(text.substr(at, begin - at), first + 1, data, take);
      if (end > begin)
        split(text.substr(begin, end - begin), first + 1, data, take);
      at = end;
    }
  }
};

Splitter::Splitter(SplitRule rule) : rule(rule) {}

Splitter::~Splitter() = default;

void Splitter::compileAll() const {
  auto made = std::make_unique<Patterns>();
  std::vector<const char *> patterns = getPatterns(rule);
  for (const char *pattern : patterns)
    made->codes.push_back(
        compile(pattern, patterns.size() == 1 ? PCRE2_ANCHORED : 0));
  compiledPatterns = std::move(made);
}

void Splitter::split(std::string_view text,
                     const std::function<void(std::string_view)> &take) const {
  std::call_once(compiled, [this] { compileAll(); });
  MatchData data = makeMatchData();
  while (!text.empty()) {
    size_t valid = getValidPrefix(text);
    compiledPatterns->split(text.substr(0, valid), 0, data.get(), take);
    text.remove_prefix(valid);
    size_t invalid = getInvalidPrefix(text);
    if (invalid > 0)
      take(text.substr(0, invalid));
    text.remove_prefix(invalid);
  }
}

} // namespace llamart
