// Changing an array that is served: prepare, save, commit.
#include <algorithm>
#include <filesystem>
#include <limits>

#include <fmt/format.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/log.hpp"
#include "store/side_files.hpp"
#include "target/admin/preparation.hpp"
#include "target/iscsi/session.hpp"

namespace admin {
namespace {

using enum Step::Kind;

const TargetConfiguration& target_in(const Configuration& configuration, const std::string& name) {
  return *std::find_if(configuration.targets.begin(), configuration.targets.end(),
                       [&](const auto& target) { return target.name == name; });
}

// Why a unit does not get this size; nullopt when it may.
std::optional<std::string> fault_of_size(const device::LogicalUnit& unit, base::ByteCount size) {
  const base::BlockLength block = unit.block_length();
  if (unit.shape().read_only) return "a read-only unit cannot be resized";
  if (unit.protection() != nullptr) {
    return "a unit with protection information cannot be resized while it is served; resize its "
           "file while the daemon is down";
  }
  if (size.value == 0 || size.value % block.bytes != 0) {
    return fmt::format("{} bytes are no whole number of {}-byte blocks", size.value, block.bytes);
  }
  if (size.value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fmt::format("{} bytes are more than a store can have", size.value);
  }
  return std::nullopt;
}

}  // namespace

namespace {

// Unless the words say that size: a store is cut to whole blocks.
void set_true_size(LunDocument& words, const device::LogicalUnit& unit) {
  const base::BlockLength block = unit.block_length();
  const base::ByteCount size = block.to_bytes(unit.capacity());
  const std::size_t colon = words.backing.find(':');
  const std::string scheme = words.backing.substr(0, colon);
  const bool sized = scheme == "memory" || scheme == "null";
  const std::string* const option = value_of(words.options, "size");
  const auto said = store::parse_size(sized               ? words.backing.substr(colon + 1)
                                      : option != nullptr ? *option
                                                          : std::string());
  if (said && block.to_bytes(block.whole_blocks(*said)) == size) return;
  const std::string text = fmt::format("{}", size.value);
  if (sized) words.backing = scheme + ":" + text;
  if (sized) return;
  std::erase_if(words.options, [](const Word& word) { return word.key == "size"; });
  words.options.push_back({"size", text});
}

}  // namespace

// What is served, with the size of each unit as it is: a document need not say it.
Document Provisioner::with_true_sizes() const {
  Document out = saved_.document;
  for (const auto& target : targets_) {
    TargetDocument& document = *out.find(target->name());
    for (const auto& [lun, unit] : target->units()) {
      set_true_size(document.luns.at(lun.value), *unit);
    }
  }
  return out;
}

base::Result<Plan, Refusal> Provisioner::change(const Edit& edit, const Manner& manner) {
  Document to = saved_.document;
  if (auto refusal = edit(to)) return base::fail(std::move(*refusal));
  return apply(std::move(to), manner);
}

base::Result<Plan, Refusal> Provisioner::apply(Document to, const Manner& manner) {
  if (manner.revision && *manner.revision != saved_.revision) {
    return base::fail(
        Refusal{409,
                {{0, fmt::format("the array has changed meanwhile: revision {}, not {}",
                                 saved_.revision, *manner.revision)}}});
  }
  if (to.portals.empty()) to.portals.push_back(default_portal());
  take_settings_over(start_.document.settings, to.settings);
  const auto configuration = configuration_of(to, base_of(start_));
  if (!configuration) return base::fail(Refusal{400, configuration.error()});
  auto planned = plan(with_true_sizes(), to, {manner.may_shrink});
  if (!planned) return base::fail(Refusal{409, planned.error()});
  find_portals(*planned, manner.portal);
  const bool from_elsewhere = manner.made_from && *manner.made_from != saved_.made_from;
  if (manner.dry_run || (planned->steps.empty() && !from_elsewhere)) return std::move(*planned);
  Preparation preparation(*configuration);
  if (auto wrong = prepare(*planned, preparation)) return base::fail(Refusal{409, {*wrong}});
  const SavedDocument next{std::move(to), saved_.revision + 1,
                           manner.made_from.value_or(saved_.made_from)};
  if (auto kept = save_document(parts_.state_directory.saved_document(), next); !kept) {
    return base::fail(Refusal{500, {{0, kept.error()}}});
  }
  saved_ = next;
  commit(*planned, preparation, manner.grace);
  return std::move(*planned);
}

base::Result<Plan, Refusal> Provisioner::reload() {
  auto document = read_document(start_);
  if (!document) return base::fail(Refusal{400, document.error()});
  const std::string origin = digest_of(*document);
  // Unchanged: what verbs made of it stands, but secrets are read anew.
  const bool changed = start_.given && origin != saved_.made_from;
  Manner manner;
  if (changed) manner.made_from = origin;
  auto done = apply(changed ? std::move(*document) : saved_.document, manner);
  if (!done) return done;
  const auto configuration = configuration_of(saved_.document, base_of(start_));
  if (!configuration) return base::fail(Refusal{400, configuration.error()});
  publish(*configuration);
  return done;
}

Provisioner::Wrong Provisioner::prepare(const Plan& plan, Preparation& preparation) {
  for (const Step& step : plan.steps) {
    Wrong wrong;
    if (step.kind == create_lun) wrong = prepare_lun(step, preparation);
    if (step.kind == add_portal) wrong = prepare_portal(step, preparation);
    if (step.kind == grow_lun || step.kind == shrink_lun) wrong = prepare_size(step, preparation);
    if (wrong) return wrong;
  }
  return std::nullopt;
}

Provisioner::Wrong Provisioner::prepare_lun(const Step& step, Preparation& preparation) {
  const scsi::Lun lun{step.lun};
  const UnitConfiguration& configured =
      target_in(preparation.configuration, step.subject).luns.at(lun);
  std::error_code ignored;
  const std::string& path = configured.store.path;
  const bool made = !path.empty() && !std::filesystem::exists(path, ignored);
  if (made) preparation.undo.push_back([path] { ::unlink(path.c_str()); });
  auto unit = open_unit(step.subject, lun, configured, preparation.configuration);
  if (!unit) return Fault{step.line, fmt::format("{} {}", step.subject, unit.error())};
  if (const std::string kept = (*unit)->guard().kept_in(); !kept.empty()) {
    preparation.undo.push_back([kept] { store::remove_side_files(kept); });
  }
  // No token of an earlier unit in this place lives.
  (*unit)->guard().end_restore();
  preparation.units[step.subject].emplace(lun, std::move(*unit));
  return std::nullopt;
}

Provisioner::Wrong Provisioner::prepare_size(const Step& step, Preparation& preparation) {
  const scsi::Lun lun{step.lun};
  const auto target = find(step.subject);
  const auto unit = target->units().at(lun);
  const base::ByteCount before = unit->block_length().to_bytes(unit->capacity());
  if (before == step.size) return std::nullopt;
  const auto fault = [&](const std::string& text) {
    return Fault{step.line, fmt::format("LUN {} of {}: {}", step.lun, step.subject, text)};
  };
  if (auto wrong = fault_of_size(*unit, step.size)) return fault(*wrong);
  const auto resized = target->resize_unit(lun, step.size, parts_.pool);
  if (!resized) return fault(resized.error());
  if (step.kind == grow_lun) {
    preparation.undo.push_back([this, target, lun, before] {
      if (auto back = target->resize_unit(lun, before, parts_.pool); !back) {
        base::log::error("{} LUN {}: keeps its new size: {}", target->name(), lun.value,
                         back.error());
      }
    });
  }
  return std::nullopt;
}

Provisioner::Wrong Provisioner::prepare_portal(const Step& step, Preparation& preparation) {
  const auto portal = parse_portal(step.subject);
  const auto bound = parts_.server.listen(*portal);
  if (!bound) return Fault{step.line, bound.error()};
  base::log::info("listening on {}, portal group {}", net::to_text(*bound), portal->portal_group);
  preparation.portals.push_back({step.subject, *bound});
  preparation.undo.push_back([this, at = *bound] { parts_.server.close_portal(at); });
  return std::nullopt;
}

void Provisioner::commit(const Plan& plan, Preparation& preparation, base::Duration grace) {
  preparation.undo.clear();
  const Configuration& configuration = preparation.configuration;
  for (const TargetConfiguration& target : configuration.targets) {
    device::TargetDevice::Units units = std::move(preparation.units[target.name]);
    if (const auto there = find(target.name)) {
      there->add_units(units);
    } else {
      targets_.push_back(
          std::make_shared<device::TargetDevice>(target.name, parts_.copy_manager, std::move(units),
                                                 relative_ports(configuration, target)));
    }
  }
  preparation.units.clear();
  commit_portals(plan);
  bound_.insert(bound_.end(), preparation.portals.begin(), preparation.portals.end());
  commit_luns(plan, configuration);
  commit_limits(configuration);
  publish(configuration);
  commit_removals(plan);
  for (const TargetConfiguration& target : configuration.targets) {
    find(target.name)
        ->show_units(
            [&target, device = find(target.name)](const std::string& initiator) {
              return net::visible_units(target.lun_maps, initiator, device->unmasked());
            },
            parts_.pool);
  }
  ask_to_log_out(configuration, grace);
  if (auto kept = keep_side_files(); !kept) base::log::error("{}", kept.error());
  for (const Step& step : plan.steps)
    base::log::info("{}", step.text);
}

// Which of them change or go: of several with the same words the one that is meant, else those that
// came last.
void Provisioner::find_portals(Plan& plan, const std::optional<net::Endpoint>& meant) const {
  std::vector<BoundPortal> left = bound_;
  for (Step& step : plan.steps) {
    if (step.kind != change_portal && step.kind != remove_portal) continue;
    const auto is_it = [&](const BoundPortal& each) { return each.words == step.before; };
    auto at = std::find_if(left.begin(), left.end(), [&](const BoundPortal& each) {
      return is_it(each) && meant && each.endpoint == *meant;
    });
    if (at == left.end()) at = std::prev(std::find_if(left.rbegin(), left.rend(), is_it).base());
    step.bound = at->endpoint;
    if (step.kind == remove_portal)
      step.text = fmt::format("stop listening on {}", net::to_text(at->endpoint));
    left.erase(at);
  }
}

void Provisioner::commit_portals(const Plan& plan) {
  for (const Step& step : plan.steps) {
    if (step.kind != change_portal && step.kind != remove_portal) continue;
    const auto at = std::find_if(bound_.begin(), bound_.end(),
                                 [&](const auto& each) { return each.endpoint == step.bound; });
    if (step.kind == change_portal) {
      parts_.server.change_portal(at->endpoint, *parse_portal(step.subject));
      at->words = step.subject;
    } else {
      parts_.server.close_portal(at->endpoint);
      bound_.erase(at);
    }
  }
}

// What a thin unit may use, and what it does when it is full.
void Provisioner::commit_luns(const Plan& plan, const Configuration& configuration) {
  for (const Step& step : plan.steps) {
    if (step.kind != change_lun) continue;
    const scsi::Lun lun{step.lun};
    const auto unit = find(step.subject)->units().at(lun);
    const device::ProvisioningShape& shape =
        target_in(configuration, step.subject).luns.at(lun).shape.provisioning;
    store::Quota* const quota = unit->guard().quota();
    if (quota == nullptr) continue;
    quota->set_waits(shape.wait_when_full.value_or(false));
    quota->set_bound(shape.provisioned.value_or(unit->guard().size()));
  }
}

// Those of all units: settings of the whole array may be behind them.
void Provisioner::commit_limits(const Configuration& configuration) {
  for (const TargetConfiguration& target : configuration.targets) {
    const auto device = find(target.name);
    for (const auto& [lun, unit] : target.luns)
      device->limit_copies(lun, limits_within(running_, configuration, unit), parts_.pool);
  }
}

void Provisioner::commit_removals(const Plan& plan) {
  for (const Step& step : plan.steps) {
    if (step.kind == delete_lun) {
      const auto unit = find(step.subject)->remove_unit(scsi::Lun{step.lun}, parts_.pool);
      const std::string name = base::to_hex(unit->identity().naa);
      for (const auto& forgotten : {parts_.unit_memory.forget(name),
                                    parts_.reservations.save(name, device::Reservations())}) {
        if (!forgotten) base::log::warning("{}: {}", step.text, forgotten.error());
      }
    }
    if (step.kind == delete_target) {
      std::erase_if(targets_, [&](const auto& target) { return target->name() == step.subject; });
    }
  }
}

// The initiators of targets that are gone or offline.
void Provisioner::ask_to_log_out(const Configuration& configuration, base::Duration grace) {
  for (const auto& entry : parts_.server.sessions().all()) {
    const std::string& name = entry->facts.identity.target_name;
    const auto at = std::find_if(configuration.targets.begin(), configuration.targets.end(),
                                 [&](const auto& target) { return target.name == name; });
    if (name.empty() || (at != configuration.targets.end() && at->online)) continue;
    net::with_session(*entry, [grace](iscsi::Session& session) { session.request_logout(grace); });
  }
}

}  // namespace admin
