// What an offloaded copy without reflink is compared with: one loop of copy_file_range(2) and an
// fdatasync(2). Prints the seconds.
//   copy_file_range_loop SOURCE DESTINATION     the destination is there and as large
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: copy_file_range_loop FROM TO\n"), 2;
  const int from = open(argv[1], O_RDONLY | O_CLOEXEC), to = open(argv[2], O_WRONLY | O_CLOEXEC);
  struct stat facts {};
  if (from < 0 || to < 0 || fstat(from, &facts) != 0) return std::perror("open"), 1;
  const base::SystemClock clock;
  const base::Instant start = clock.now();
  for (off_t left = facts.st_size; left > 0;) {
    const ssize_t n =
        copy_file_range(from, nullptr, to, nullptr, static_cast<std::size_t>(left), 0);
    if (n <= 0) return std::perror("copy_file_range"), 1;
    left -= n;
  }
  if (fdatasync(to) != 0) return std::perror("fdatasync"), 1;
  std::printf("%.6f\n", std::chrono::duration<double>(clock.now() - start).count());
}
