//===- TracePage.cpp - A trace as a page to look at -----------------------===//

#include "runtime/tools/measure/TracePage.h"

#include "files/InputFiles.h"
#include "files/WholeFile.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>

using nlohmann::json;

namespace llamart::tools {

/// trace-page.html: @TRACE@ in it is for the data.
extern const char *const kTracePage;

namespace {

[[noreturn]] void fail(const std::string &path, size_t line,
                       const std::string &what) {
  throw std::runtime_error(path + ": line " + std::to_string(line) + ": " +
                           what);
}

void checkToken(const json &token, const std::string &path, size_t line) {
  for (const char *key :
       {"position", "id", "probability", "entropy", "varentropy"})
    if (!token.contains(key) || !token[key].is_number())
      fail(path, line,
           std::string("expected a number '") + key +
               "', as llama-generate --trace writes it");
  if (!token.contains("candidates") || !token["candidates"].is_array())
    fail(path, line, "expected a list 'candidates'");
}

/// {"header": ..., "tokens": [...]}
json readTrace(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error(path + ": " + std::strerror(errno));
  json trace = {{"header", nullptr}, {"tokens", json::array()}};
  std::string text;
  for (size_t number = 1; std::getline(file, text); ++number) {
    json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object())
      fail(path, number, "is not a JSON object");
    if (number == 1) {
      if (!line.contains("model") || !line.contains("sampler"))
        fail(path, number,
             "expected 'model' and 'sampler', as llama-generate "
             "--trace writes them");
      trace["header"] = std::move(line);
      continue;
    }
    checkToken(line, path, number);
    trace["tokens"].push_back(std::move(line));
  }
  if (trace["header"].is_null())
    throw std::runtime_error(path + ": is empty");
  return trace;
}

} // namespace

void writeTracePage(const std::string &trace, const std::string &page) {
  llamafiles::noteInput(trace);
  std::string data = readTrace(trace).dump();
  // Nothing in it may end the script element that it stands in.
  for (size_t at = 0; (at = data.find("</", at)) != std::string::npos; at += 3)
    data.insert(at + 1, "\\");
  for (size_t at = 0; (at = data.find("<!--", at)) != std::string::npos;)
    data.replace(at, 1, "\\u003c");
  std::string html = kTracePage;
  const std::string place = "@TRACE@";
  html.replace(html.find(place), place.size(), data);

  llamafiles::WholeFile file(page, llamafiles::Order::Streamed);
  file.write(html);
  file.finish();
}

} // namespace llamart::tools
