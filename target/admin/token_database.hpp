// The token journal in a database file of the state directory: one row a token, alive or dead.
//
// One thread writes; whatever was noted while it was busy shares its next commit. Commits survive
// the process (kill -9), not the machine: what a loss of power could take with it, the files that
// tokens need (store/side_files.hpp) do not survive either. A clean end writes all of it to the
// medium.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/database.hpp"
#include "tokens/token_journal.hpp"

namespace admin {

class TokenDatabase final : public tokens::TokenJournal {
 public:
  // Opens or makes `path`. One that is damaged is put aside, which one line in the log tells: its
  // tokens are unknown. The error is one line for a person. `clock` outlives this.
  static base::Result<std::unique_ptr<TokenDatabase>, std::string> open(
      const std::string& path, const base::WallClock& clock);
  // Nothing is noted any more.
  ~TokenDatabase() override;

  std::vector<tokens::KeptToken> load() override;
  std::uint64_t first_identifier(std::uint64_t proposed) override;
  void created(const tokens::KeptToken& token) override;
  void used(std::uint64_t identifier) override;
  void ended(std::uint64_t identifier, tokens::TokenFault reason) override;
  void forgotten(std::uint64_t identifier) override;
  void when_kept(Kept done) override;

  // The files in which units keep what tokens stand for: those of the last process, and from now on
  // these. Before anything is noted.
  base::Result<std::vector<std::string>, std::string> replace_side_files(
      const std::vector<std::string>& paths);

 private:
  using Done = base::Result<void, std::string>;
  struct Note {
    enum class Kind { created, used, ended, forgotten, when_kept };
    Kind kind = Kind::created;
    std::uint64_t identifier = 0;
    base::Duration at{0};  // since 1970
    tokens::KeptToken token;
    tokens::TokenFault reason = tokens::TokenFault::unknown;
    Kept done;
  };
  struct Statements;

  TokenDatabase(base::Database database, std::unique_ptr<Statements> statements,
                const base::WallClock& clock);
  static base::Result<std::unique_ptr<TokenDatabase>, std::string> open_sound(
      const std::string& path, const base::WallClock& clock);
  void note(Note note);
  void serve();
  void keep(std::vector<Note>& notes);
  void keep_written(const std::vector<Note>& notes);
  Done write(const std::vector<Note>& notes);
  Done write(const Note& note);
  void checkpoint();

  const base::WallClock& clock_;
  base::Database database_;
  std::unique_ptr<Statements> statements_;  // the writing thread's
  std::size_t written_ = 0;                 // since the last checkpoint; the writing thread's
  // The last notes could be written. The writing thread's; of others while it does not write.
  bool healthy_ = true;

  std::mutex mutex_;
  std::condition_variable noted_;
  std::vector<Note> notes_;  // in order
  bool writing_ = false;     // some that were noted are not kept yet
  bool stopping_ = false;
  std::thread thread_;
};

// Without persistence: tokens that an earlier process left never come back. Returns the files in
// which their units kept what they stand for.
std::vector<std::string> forget_tokens(const std::string& path);

}  // namespace admin
