#include "tools/copymgr/progress_bar.hpp"

#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "tools/host/report.hpp"

namespace cli {
namespace {

constexpr base::Duration between_drawings = std::chrono::milliseconds(200);
constexpr std::size_t width = 30;

}  // namespace

ProgressBar::ProgressBar(const base::Clock& clock, std::string_view what, base::ByteCount total)
    : clock_(clock),
      what_(what),
      total_(total),
      visible_(isatty(STDERR_FILENO) != 0),
      start_(clock.now()),
      next_(start_) {}

void ProgressBar::show(base::ByteCount done) {
  if (!visible_ || total_.value == 0) return;
  const base::Instant now = clock_.now();
  if (now < next_) return;
  next_ = now + between_drawings;
  drawn_ = true;
  const double share = static_cast<double>(done.value) / static_cast<double>(total_.value);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done.value) / seconds : 0;
  const auto filled = static_cast<std::size_t>(share * width);
  fmt::print(stderr, "\r{} [{}{}] {:3.0f} % {} \x1b[K", what_, std::string(filled, '#'),
             std::string(width - filled, ' '), share * 100, host::shown_rate(rate));
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace cli
