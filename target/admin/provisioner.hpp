// The one way to change what the array is: a new document, a plan, then all of it or nothing.
//
// prepare: opens stores, makes files, binds portals, resizes; may fail, and is undone then.
// save: the document is durable; a crash before leaves the old array, one after it the new one.
// commit: tells the server and the nexuses; cannot fail.
//
// One thread at a time: the main thread until the array is served, the admin thread from then on.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "target/admin/group_keeper.hpp"
#include "target/admin/plan.hpp"
#include "target/admin/reservation_database.hpp"
#include "target/admin/start.hpp"
#include "target/admin/state_directory.hpp"
#include "target/admin/token_database.hpp"
#include "target/admin/unit_database.hpp"
#include "target/device/target_device.hpp"
#include "target/net/server.hpp"

namespace admin {

// All of it outlives the provisioner.
struct ProvisionerParts {
  const StateDirectory& state_directory;
  ReservationDatabase& reservations;
  UnitDatabase& unit_memory;
  TokenDatabase* tokens;  // null: they end with the process
  copymgr::CopyManager& copy_manager;
  net::Server& server;
  base::Randomness& randomness;
  base::Executor& pool;
  GroupKeeper& group;
};

// Why a change was not made; nothing has changed then.
struct Refusal {
  unsigned status = 400;  // of HTTP: 404 no such object, 409 not now or not so, 500 it went wrong
  Faults faults;
};

class Provisioner {
 public:
  // `start` is read anew by reload().
  Provisioner(const ProvisionerParts& parts, Start start, const ArrayIdentifier& identifier);

  // Opens everything that the document says, for the first time; nothing is served yet. The error
  // is one line for a person.
  base::Result<void, std::string> open(SavedDocument saved, const Configuration& configuration);

  const Document& document() const { return saved_.document; }
  std::uint64_t revision() const { return saved_.revision; }
  const std::vector<std::shared_ptr<device::TargetDevice>>& targets() const { return targets_; }
  struct BoundPortal {
    std::string words;       // as in the document: several may ask for port 0
    net::Endpoint endpoint;  // that it got
  };
  const std::vector<BoundPortal>& portals() const { return bound_; }

  // Where secrets are kept that came by the admin API.
  std::string secrets_directory() const { return parts_.state_directory.secrets(); }

  struct Manner {
    bool dry_run = false;
    bool may_shrink = false;
    std::optional<std::uint64_t> revision = {};  // of the document that the change was made from
    base::Duration grace = std::chrono::seconds(10);  // for initiators that have to go
    std::optional<std::string> made_from = {};        // of reload()
    std::optional<net::Endpoint> portal = {};         // that goes, of several with the same words
  };
  // Makes the array what `to` says, or plans it; settings of the command line count over its own.
  base::Result<Plan, Refusal> apply(Document to, const Manner& manner);
  // A small change of what is there now.
  using Edit = std::function<std::optional<Refusal>(Document& document)>;
  base::Result<Plan, Refusal> change(const Edit& edit, const Manner& manner);
  // Reads the configuration file again, and the files of secrets; what it says counts if the file
  // has changed since.
  base::Result<Plan, Refusal> reload();

 private:
  struct Preparation;
  using Wrong = std::optional<Fault>;

  base::Result<std::shared_ptr<device::LogicalUnit>, std::string> open_unit(
      const std::string& target, scsi::Lun lun, const UnitConfiguration& configured,
      const Configuration& configuration);
  base::Result<void, std::string> open_targets(const Configuration& configuration);
  std::optional<store::Keeping> keeping(const scsi::UnitIdentity& identity);
  base::Result<void, std::string> keep_side_files();
  std::shared_ptr<device::TargetDevice> find(const std::string& name) const;
  static std::vector<std::uint16_t> relative_ports(const Configuration& configuration,
                                                   const TargetConfiguration& target);
  void publish(const Configuration& configuration);
  void find_portals(Plan& plan, const std::optional<net::Endpoint>& meant) const;
  Document with_true_sizes() const;

  Wrong prepare(const Plan& plan, Preparation& preparation);
  Wrong prepare_lun(const Step& step, Preparation& preparation);
  Wrong prepare_size(const Step& step, Preparation& preparation);
  Wrong prepare_portal(const Step& step, Preparation& preparation);
  void commit(const Plan& plan, Preparation& preparation, base::Duration grace);
  void commit_portals(const Plan& plan);
  void commit_removals(const Plan& plan);
  void commit_luns(const Plan& plan, const Configuration& configuration);
  void commit_limits(const Configuration& configuration);
  void ask_to_log_out(const Configuration& configuration, base::Duration grace);

  const ProvisionerParts parts_;
  const Start start_;
  const ArrayIdentifier identifier_;
  SavedDocument saved_;
  std::vector<std::shared_ptr<device::TargetDevice>> targets_;
  std::vector<BoundPortal> bound_;  // of the document, in the order of their binding
  std::uint64_t next_unit_id_ = 1;
  copymgr::CopySettings running_;  // what the copy manager has since the start
};

}  // namespace admin
