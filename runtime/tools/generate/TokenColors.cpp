//===- TokenColors.cpp - Colours tokens by what the sampler saw -----------===//

#include "runtime/tools/generate/TokenColors.h"

#include <array>
#include <cmath>

namespace llamart::tools {
namespace {

struct Color {
  std::string_view state; ///< empty: of a surprise
  double bits;            ///< below which it is that
  std::string_view code, meaning;
};

constexpr auto kColors = std::to_array<Color>({
    {"", 0, "0", ""},
    {"LELV", 0, "32", "LELV: sure, the best"},
    {"HELV", 0, "36", "HELV: all alike, asks"},
    {"LEHV", 0, "33", "LEHV: a fork"},
    {"HEHV", 0, "31", "HEHV: lost, drawn hot"},
    {"adaptive", 0, "35", "adaptive"},
    {"", 1, "32", "below 1 bit"},
    {"", 3, "36", "1 to 3 bits"},
    {"", 6, "33", "3 to 6 bits"},
    {"", HUGE_VAL, "31", "6 bits of surprise and more"},
});

std::string paintWith(const Color &color, std::string_view text) {
  return "\x1b[" + std::string(color.code) + "m" + std::string(text) +
         "\x1b[0m";
}

} // namespace

void TokenColors::look(const llamart_step &step) {
  std::string_view state = step.state;
  double bits = -std::log2(step.probability);
  current = 0;
  for (size_t i = 1; i < kColors.size() && current == 0; ++i)
    if (state.empty() ? kColors[i].state.empty() && !(bits >= kColors[i].bits)
                      : kColors[i].state == state)
      current = i;
  if (current == 0) // infinitely surprising
    current = kColors.size() - 1;
  seen.insert(current);
}

std::string TokenColors::paint(std::string_view text) const {
  return current ? paintWith(kColors[current], text) : std::string(text);
}

std::string TokenColors::getLegend() const {
  std::string legend;
  for (size_t i : seen)
    legend += (legend.empty() ? "" : "  ") +
              paintWith(kColors[i], kColors[i].meaning);
  return legend;
}

} // namespace llamart::tools
