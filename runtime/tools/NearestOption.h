//===- NearestOption.h - The option that was meant --------------*- C++ -*-===//
//
//   --temprature=1  =>  did you mean --temperature?
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_NEARESTOPTION_H
#define LLAMA_RUNTIME_TOOLS_NEARESTOPTION_H

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace llamart::tools {

/// How many letters have to be changed, added or left out.
inline size_t getDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// The long name of an option, of `app` or of the subcommand that was given,
/// that is spelt most like `argument`; "" if none comes near.
inline std::string findNearestOption(const CLI::App &app,
                                     std::string_view argument) {
  if (!argument.starts_with("--"))
    return "";
  std::string_view wanted = argument.substr(2, argument.find('=') - 2);
  std::string nearest;
  size_t least = wanted.size() / 3 + 2; // as much or more is another word
  std::vector<const CLI::App *> apps = {&app};
  for (const CLI::App *command : app.get_subcommands())
    apps.push_back(command);
  for (const CLI::App *each : apps)
    for (const CLI::Option *option : each->get_options())
      for (const std::string &name : option->get_lnames())
        if (size_t distance = getDistance(wanted, name); distance < least) {
          least = distance;
          nearest = "--" + name;
        }
  return nearest;
}

/// Says what is wrong with the command line as CLI11 does, and for an option
/// that is not known which one may have been meant. Returns the exit code.
inline int explainCommandLine(const CLI::App &app,
                              const CLI::ParseError &error) {
  std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  std::string nearest =
      unknown.empty() ? "" : findNearestOption(app, unknown.front());
  bool isUnknown =
      error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  if (nearest.empty() || !isUnknown)
    return app.exit(error) == 0 ? 0 : 2;
  std::cerr << "The following argument was not expected: " << unknown.front()
            << "; did you mean " << nearest << "?\n"
            << "Run with --help for more information.\n";
  return 2;
}

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_NEARESTOPTION_H
