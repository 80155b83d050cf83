//===- FormatTime.cpp - strftime of a date and time -----------------------===//
//
// In the C locale, whatever the process has, so that a prompt does not depend
// on it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <array>
#include <cstdio>

namespace llamart::jinja {
namespace {

using namespace std::chrono;

constexpr std::array<const char *, 7> kDays = {
    "Sunday",   "Monday", "Tuesday", "Wednesday",
    "Thursday", "Friday", "Saturday"};
constexpr std::array<const char *, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

class TimeFormatter {
public:
  explicit TimeFormatter(local_seconds time)
      : time(time), day(floor<days>(time)), date(day), clock(time - day),
        weekday(std::chrono::weekday(day).c_encoding()) {
    local_days first{date.year() / January / 1};
    dayOfYear = static_cast<int>((day - first).count());
  }

  std::string format(std::string_view text) const {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%' || i + 1 == text.size()) {
        out += text[i];
        continue;
      }
      char letter = text[++i];
      bool bare = letter == '-' && i + 1 < text.size();
      std::string shown = write(bare ? text[++i] : letter);
      if (bare)
        while (shown.size() > 1 && (shown[0] == '0' || shown[0] == ' '))
          shown.erase(0, 1);
      out += shown;
    }
    return out;
  }

private:
  static std::string number(int value, int width, char fill = '0') {
    std::string text = std::to_string(value);
    while (static_cast<int>(text.size()) < width)
      text.insert(text.begin(), fill);
    return text;
  }

  int getHour12() const {
    auto hour = static_cast<int>(clock.hours().count());
    return hour % 12 == 0 ? 12 : hour % 12;
  }

  /// Weeks of the year that begin on Sunday (0) or Monday (1).
  int getWeek(int begin) const {
    int since = (static_cast<int>(weekday) + 7 - begin) % 7;
    return (dayOfYear + 7 - since) / 7;
  }

  /// The year and the week of ISO 8601: that of the week's Thursday.
  std::pair<int, int> getIsoWeek() const {
    auto thursday =
        day + days(4 - (weekday == 0 ? 7 : static_cast<int>(weekday)));
    year_month_day of(thursday);
    local_days first{of.year() / January / 1};
    return {static_cast<int>(of.year()),
            static_cast<int>((thursday - first).count()) / 7 + 1};
  }

  std::string write(char letter) const {
    unsigned month = static_cast<unsigned>(date.month());
    auto dayOfMonth = static_cast<int>(static_cast<unsigned>(date.day()));
    int year = static_cast<int>(date.year());
    switch (letter) {
    case 'a':
      return std::string(kDays[weekday]).substr(0, 3);
    case 'A':
      return kDays[weekday];
    case 'b':
    case 'h':
      return std::string(kMonths[month - 1]).substr(0, 3);
    case 'B':
      return kMonths[month - 1];
    case 'c':
      return format("%a %b %e %H:%M:%S %Y");
    case 'C':
      return number(year / 100, 2);
    case 'd':
      return number(dayOfMonth, 2);
    case 'D':
    case 'x':
      return format("%m/%d/%y");
    case 'e':
      return number(dayOfMonth, 2, ' ');
    case 'f':
      return "000000";
    case 'F':
      return format("%Y-%m-%d");
    case 'g':
      return number(getIsoWeek().first % 100, 2);
    case 'G':
      return std::to_string(getIsoWeek().first);
    case 'm':
      return number(static_cast<int>(month), 2);
    case 'u':
      return std::to_string(weekday == 0 ? 7 : weekday);
    case 'U':
      return number(getWeek(0), 2);
    case 'V':
      return number(getIsoWeek().second, 2);
    case 'w':
      return std::to_string(weekday);
    case 'W':
      return number(getWeek(1), 2);
    case 'y':
      return number(year % 100, 2);
    case 'Y':
      return std::to_string(year);
    default:
      return writeClock(letter);
    }
  }

  std::string writeClock(char letter) const {
    auto hour = static_cast<int>(clock.hours().count());
    switch (letter) {
    case 'H':
      return number(hour, 2);
    case 'I':
      return number(getHour12(), 2);
    case 'j':
      return number(dayOfYear + 1, 3);
    case 'k':
      return number(hour, 2, ' ');
    case 'l':
      return number(getHour12(), 2, ' ');
    case 'M':
      return number(static_cast<int>(clock.minutes().count()), 2);
    case 'n':
      return "\n";
    case 'p':
      return hour < 12 ? "AM" : "PM";
    case 'P':
      return hour < 12 ? "am" : "pm";
    case 'r':
      return format("%I:%M:%S %p");
    case 'R':
      return format("%H:%M");
    case 'S':
      return number(static_cast<int>(clock.seconds().count()), 2);
    case 't':
      return "\t";
    case 'T':
    case 'X':
      return format("%H:%M:%S");
    case 'Z':
    case 'z':
      return ""; // a time without a zone
    case '%':
      return "%";
    default:
      fail("strftime_now: expected a letter of strftime after '%', found '",
           std::string(1, letter), "'");
    }
  }

  local_seconds time;
  local_days day;
  year_month_day date;
  hh_mm_ss<seconds> clock;
  unsigned weekday;
  int dayOfYear = 0;
};

} // namespace

std::string formatTime(std::string_view format, local_seconds time) {
  return TimeFormatter(time).format(format);
}

} // namespace llamart::jinja
