// What the program says of itself, all of it from the tables that the verbs are parsed by: help,
// the man page, and what a shell completes.
#pragma once

#include "tools/copymgr/verb.hpp"

namespace cli {

// Instead of doing anything, verbs and families print this of themselves (see dispatch() and
// parse()).
enum class Telling { nothing, man_page, completion };
Telling telling();
void tell_instead(Telling what);

void print_help(std::string_view family, std::span<const Verb> members);
void print_help(const Usage& usage);

// Of copymgr(1): what stands before the verbs, and behind them.
void print_man_page_begin();
void print_man_page_end();
void print_man_page(const Usage& usage);

// Words that may stand there, one a line.
void print_candidates(std::span<const Verb> members);
void print_candidates(const Usage& usage);

}  // namespace cli
