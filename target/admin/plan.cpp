#include "target/admin/plan.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "store/open.hpp"
#include "target/admin/array_settings.hpp"
#include "target/admin/plan_words.hpp"

namespace admin {
namespace {

using enum Step::Kind;

bool is_of_room(std::string_view key) {
  return key == "provisioned" || key == "exhausted";
}

bool counts_room(const Words& words) {
  return words.contains("provisioned") || words.contains("exhausted") ||
         words.contains("threshold") || words.contains("available-threshold");
}

std::string joined(const std::set<std::string>& keys) {
  std::string out;
  for (const std::string& key : keys)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", key);
  return out;
}

std::string described(const LunDocument& lun) {
  std::string out = lun.backing;
  for (const Word& word : lun.options)
    out += fmt::format(", {}={}", word.key, word.value);
  return out;
}

class Planner {
 public:
  Planner(const Document& from, const Document& to, const PlanRules& rules)
      : from_(from), to_(to), rules_(rules) {}

  base::Result<Plan, Faults> run() {
    settings();
    group();
    portals();
    for (const TargetDocument& target : to_.targets)
      this->target(from_.find(target.name), target);
    for (const TargetDocument& target : from_.targets) {
      if (to_.find(target.name) == nullptr) delete_target(target);
    }
    warn_of_limits();
    moved_backings();
    if (shrinks_ > 1) {
      fault(0,
            "several LUNs would shrink, which cannot be undone when one of them fails: shrink "
            "them one by one");
    }
    if (!faults_.empty()) return base::fail(std::move(faults_));
    std::stable_sort(plan_.steps.begin(), plan_.steps.end(),
                     [](const Step& a, const Step& b) { return a.kind < b.kind; });
    return std::move(plan_);
  }

 private:
  void fault(unsigned line, std::string text) { faults_.push_back({line, std::move(text)}); }
  void warn(std::string text) {
    auto& all = plan_.warnings;
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
  }
  Step& add(Step::Kind kind, std::string subject, std::string text) {
    return plan_.steps.emplace_back(Step{kind, std::move(subject), 0, std::move(text)});
  }
  void warn_of_limits() {
    if (read_at_disk_start_.empty()) return;
    warn(fmt::format(
        "Windows reads {} only when it starts a disk: it goes on with the old value, and "
        "is held to the new one, until the disk is offline and online again or its "
        "session is logged in anew",
        joined(read_at_disk_start_)));
  }
  void note_copy_setting(const std::string& key) {
    if (is_read_at_disk_start(key)) read_at_disk_start_.insert(key);
  }

  void settings() {
    for (const std::string& key : changed_keys(grouped(from_.settings), grouped(to_.settings))) {
      const std::string* const value = value_of(to_.settings, key);
      const ArraySetting* const setting = find_array_setting(key);
      const bool live = setting == nullptr || setting->live;
      // An account is told by its name alone.
      const bool told = value != nullptr && key != "discovery-chap";
      add(change_array, key,
          fmt::format("set {}{}{}", key,
                      told               ? " to " + *value
                      : value == nullptr ? " back"
                                         : "",
                      live ? "" : " at the next start of the daemon"));
      if (!live) warn(fmt::format("{} counts from the next start of the daemon", key));
      if (key == "copy") {
        for (const std::string& changed :
             changed_keys(copy_settings_in(from_.settings), copy_settings_in(to_.settings)))
          note_copy_setting(changed);
      }
    }
  }

  void group() {
    const auto changed = changed_keys(grouped(from_.group), grouped(to_.group));
    if (changed.empty()) return;
    const std::string* const was = value_of(from_.group, "name");
    const std::string* const is = value_of(to_.group, "name");
    std::string text;
    if (was == nullptr || is == nullptr) {
      text = fmt::format("{} the copy manager group {}", was == nullptr ? "join" : "leave",
                         was == nullptr ? *is : *was);
    } else if (*was != *is) {
      text = fmt::format("leave the copy manager group {}, join {}", *was, *is);
    } else {
      text = fmt::format("change {} of the copy manager group {}", joined(changed), *is);
    }
    add(change_group, is == nullptr ? *was : *is, std::move(text));
  }

  // Several may ask for some free port of an address; else an address is there once.
  void portals() {
    std::vector<Word> gone = from_.portals, added;
    for (const Word& portal : to_.portals) {
      const auto at = std::find(gone.begin(), gone.end(), portal);
      if (at != gone.end()) {
        gone.erase(at);
      } else {
        added.push_back(portal);
      }
    }
    std::set<std::string> seen;
    for (const Word& portal : to_.portals) {
      const std::string address = address_of(portal);
      if (!address.ends_with(":0") && !seen.insert(address).second)
        fault(portal.line, fmt::format("portal {} is given twice", address));
    }
    for (const Word& portal : added) {
      const auto before = std::find_if(gone.begin(), gone.end(), [&](const Word& each) {
        return address_of(each) == address_of(portal);
      });
      if (before == gone.end()) {
        add(add_portal, portal.value, fmt::format("listen on {}", portal.value)).line = portal.line;
        continue;
      }
      add(change_portal, portal.value,
          fmt::format("portal {} becomes {}", before->value, portal.value))
          .before = before->value;
      gone.erase(before);
    }
    for (const Word& portal : gone) {
      add(remove_portal, portal.value, fmt::format("stop listening on {}", portal.value)).before =
          portal.value;
    }
  }

  void target(const TargetDocument* before, const TargetDocument& target) {
    if (before == nullptr) {
      add(create_target, target.name, fmt::format("create target {}", target.name));
    } else {
      const auto changed = changed_keys(grouped(before->options), grouped(target.options));
      if (!changed.empty()) {
        add(change_target, target.name,
            fmt::format("change {} of target {}", joined(changed), target.name));
      }
      new_groups(*before, target);
    }
    for (const auto& [number, lun] : target.luns) {
      const auto at = before == nullptr ? target.luns.end() : before->luns.find(number);
      if (before == nullptr || at == before->luns.end()) {
        Step& step =
            add(create_lun, target.name,
                fmt::format("create LUN {} of {}: {}", number, target.name, described(lun)));
        step.lun = number;
        step.line = lun.line;
      } else {
        change_of_lun(target.name, at->second, lun);
      }
    }
    if (before == nullptr) return;
    for (const auto& [number, lun] : before->luns) {
      if (!target.luns.contains(number)) take_lun(target.name, lun);
    }
  }

  // The ports of a target are told to hosts that have it: none comes while it is served.
  void new_groups(const TargetDocument& before, const TargetDocument& target) {
    const auto had = groups_of(from_, before);
    for (const std::uint16_t group : groups_of(to_, target)) {
      if (had.contains(group)) continue;
      fault(target.line, fmt::format("target {} cannot be reached through portal group {} while it "
                                     "is served: give it portal groups that it has ({}), or start "
                                     "the daemon anew",
                                     target.name, group, fmt::join(had, ", ")));
    }
  }

  void take_lun(const std::string& target, const LunDocument& lun) {
    Step& step =
        add(delete_lun, target,
            fmt::format("delete LUN {} of {}; {} stays as it is", lun.number, target, lun.backing));
    step.lun = lun.number;
  }

  void delete_target(const TargetDocument& target) {
    for (const auto& [number, lun] : target.luns)
      take_lun(target.name, lun);
    add(Step::Kind::delete_target, target.name, fmt::format("delete target {}", target.name));
  }

  static unsigned line_of(const LunDocument& lun, const std::string& key) {
    for (const Word& word : lun.options) {
      if (word.key == key) return word.line;
    }
    return lun.line;
  }

  void change_of_lun(const std::string& target, const LunDocument& before, const LunDocument& lun) {
    const Words from = canonical(before), to = canonical(lun);
    std::set<std::string> changed, live;
    for (const auto& [key, value] : from) {
      if (const auto at = to.find(key); at == to.end() || at->second != value) changed.insert(key);
    }
    for (const auto& [key, value] : to) {
      if (!from.contains(key)) changed.insert(key);
    }
    for (const std::string& key : changed) {
      if (key == size_key) {
        change_of_size(target, lun, from, to);
      } else if (is_copy_setting(key)) {
        live.insert(key);
        note_copy_setting(key);
      } else if (is_of_room(key) && counts_room(from) && counts_room(to)) {
        live.insert(key);
      } else if (is_of_room(key)) {
        fault(line_of(lun, key),
              fmt::format("the room of LUN {} of {} is not counted: it was given no provisioned=, "
                          "threshold= or exhausted=",
                          lun.number, target));
      } else {
        fault(line_of(lun, key),
              fmt::format("{} of LUN {} of {} cannot change while it is served: delete the LUN, "
                          "then create it anew",
                          key, lun.number, target));
      }
    }
    if (live.empty()) return;
    add(change_lun, target,
        fmt::format("change {} of LUN {} of {}", joined(live), lun.number, target))
        .lun = lun.number;
  }

  void change_of_size(const std::string& target, const LunDocument& lun, const Words& from,
                      const Words& to) {
    const auto wanted = to.find(std::string(size_key)), had = from.find(std::string(size_key));
    if (wanted == to.end()) return;  // it stays as it is
    const auto size = store::parse_size(wanted->second);
    const auto now = had == from.end()
                         ? base::Result<base::ByteCount, std::string>(base::ByteCount())
                         : store::parse_size(had->second);
    const auto block = to.find("blocksize");
    const std::uint64_t block_bytes = block != to.end() && block->second == "4096" ? 4096 : 512;
    if (size->value % block_bytes != 0) {
      fault(line_of(lun, std::string(size_key)),
            fmt::format("LUN {} of {}: {} bytes are no whole number of {}-byte blocks", lun.number,
                        target, size->value, block_bytes));
      return;
    }
    const bool shrinks = had != from.end() && *size < *now;
    if (shrinks && !rules_.may_shrink) {
      fault(line_of(lun, std::string(size_key)),
            fmt::format("LUN {} of {}: {} bytes are less than the {} that it has: what is cut off "
                        "is lost; shrink (--shrink) if that is wanted",
                        lun.number, target, size->value, now->value));
      return;
    }
    if (shrinks) ++shrinks_;
    Step& step =
        add(shrinks ? shrink_lun : grow_lun, target,
            fmt::format("make LUN {} of {} {} bytes long", lun.number, target, size->value));
    step.lun = lun.number;
    step.size = *size;
    step.line = line_of(lun, std::string(size_key));
  }

  // A file is closed by the LUN that goes after it would have to be open for the one that comes.
  void moved_backings() {
    for (const Step& step : plan_.steps) {
      if (step.kind != create_lun) continue;
      const LunDocument& lun = to_.find(step.subject)->luns.at(step.lun);
      if (path_of(lun).empty()) continue;
      for (const TargetDocument& target : from_.targets) {
        for (const auto& [number, other] : target.luns) {
          if (path_of(other) != path_of(lun) || (is_read_only(lun) && is_read_only(other)))
            continue;
          fault(lun.line, fmt::format("{} is still the backing of LUN {} of {}: delete that one "
                                      "first, in a change of its own",
                                      path_of(lun), number, target.name));
        }
      }
    }
  }

  const Document& from_;
  const Document& to_;
  const PlanRules rules_;
  Plan plan_;
  Faults faults_;
  unsigned shrinks_ = 0;
  std::set<std::string> read_at_disk_start_;
};

}  // namespace

std::string_view name_of(Step::Kind kind) {
  constexpr std::array<std::string_view, 13> names{
      "change-array",  "change-group",  "add-portal", "change-portal", "create-target",
      "create-lun",    "grow-lun",      "change-lun", "change-target", "delete-lun",
      "delete-target", "remove-portal", "shrink-lun"};
  return names[static_cast<std::size_t>(kind)];
}

base::Result<Plan, Faults> plan(const Document& from, const Document& to, const PlanRules& rules) {
  return Planner(from, to, rules).run();
}

}  // namespace admin
