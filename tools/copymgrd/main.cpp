// copymgrd: a storage array in one unprivileged process.
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include "base/broken_pipe.hpp"
#include "base/log.hpp"
#include "target/admin/array.hpp"
#include "tools/copymgrd/options.hpp"

namespace {

enum ExitStatus { done = 0, failed = 1, usage = 2 };

int complain(const std::string& line, ExitStatus status) {
  fmt::print(stderr, "copymgrd: {}\n", line);
  return status;
}

// Each session and each store takes descriptors: allow as many as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Large buffers go back to the system when they are freed: glibc would otherwise keep more and more
// of them after every burst.
void give_large_memory_back() {
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

int serve(const copymgrd::CommandLine& command_line) {
  base::ignore_broken_pipes();  // those of the log too
  raise_descriptor_limit();
  give_large_memory_back();
  auto array = admin::Array::open(command_line.start);
  if (!array) return complain(array.error(), failed);
  if (const auto ran = (*array)->run(); !ran) return complain(ran.error(), failed);
  return done;
}

// Every fault of a file with its line, and nothing opened.
int check(const admin::Start& start) {
  const auto document = admin::read_document(start);
  admin::Configuration base = admin::base_of(start);
  // It is the file that is checked, not where it will run.
  if (base.state_directory.empty()) base.state_directory = ".";
  const auto meaning =
      document ? admin::configuration_of(*document, base) : base::fail(document.error());
  if (meaning) return done;
  fmt::print(stderr, "{}\n", admin::to_text(meaning.error(), start.config_file));
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto command_line = copymgrd::parse_command_line(argc, argv);
    if (!command_line) return complain(command_line.error(), usage);
    switch (command_line->wish) {
      case copymgrd::CommandLine::Wish::help:
        fmt::print("{}", copymgrd::help_text());
        return done;
      case copymgrd::CommandLine::Wish::man_page:
        fmt::print("{}", copymgrd::man_page());
        return done;
      case copymgrd::CommandLine::Wish::version:
        fmt::print("copymgrd {}\n", COPYMGR_VERSION);
        return done;
      case copymgrd::CommandLine::Wish::check:
        return check(command_line->start);
      case copymgrd::CommandLine::Wish::serve:
        return serve(*command_line);
    }
  } catch (const std::exception& error) {
    return complain(error.what(), failed);
  }
  return failed;
}
