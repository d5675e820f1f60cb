#include "copymgr/pull_source.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "copymgr/pull_proof.hpp"

namespace copymgr {
namespace {

namespace pull = scsi::pull;
using store::RemoteTrouble;
using Unit = std::unique_ptr<store::RemoteUnit>;

// For the first answer in a session that was kept. A connection that has died unseen shall not hold
// up the login that takes its place.
constexpr base::Duration kept_patience = std::chrono::seconds(1);

constexpr std::string_view initiator_prefix = "iqn.2026-11.io.copymgr:member.";

auto unreachable(std::string text) {
  return base::fail(RemoteTrouble{RemoteTrouble::Kind::unreachable, std::move(text), {}});
}

store::RemoteAddress address_of(const Peers& peers, const Group& group, std::string portal) {
  store::RemoteAddress out;
  const std::string own = to_text(peers.own());
  out.portal = std::move(portal);
  out.target_name = pull_target_name;
  out.initiator_name = fmt::format("{}{}", initiator_prefix, own);
  out.user = own;
  out.secret = derive_login_secret(group, LoginSide::initiator, own);
  out.target_user = group.name;
  out.target_secret = derive_login_secret(group, LoginSide::target, own);
  return out;
}

// The first of its portals that lets this array in.
store::RemoteResult<Unit> connect(const Peers& peers, const GroupView& view, Peer& peer,
                                  const PullSource::Stopped& stopped) {
  const PullLimits& limits = peer.limits();
  store::RemoteResult<Unit> out = unreachable("it has no portal");
  for (const std::string& portal : peer.member().portals) {
    out = store::RemoteUnit::connect(
        address_of(peers, view.group, portal),
        {limits.connect_timeout, limits.answer_timeout, limits.reads_in_flight}, peers.clock(),
        stopped);
    if (out) peer.count_login();
    if (out || out.error().kind == RemoteTrouble::Kind::stopped) break;
  }
  return out;
}

template <class Bytes>
store::RemoteResult<std::size_t> ask(store::RemoteUnit& unit, const scsi::CdbLayout& layout,
                                     Bytes& answer, std::optional<base::Duration> patience = {}) {
  scsi::CdbBytes cdb = scsi::make_cdb(layout);
  pull::allocation_length.write(cdb, answer.size());
  return unit.command(cdb, {}, answer, patience);
}

store::RemoteResult<pull::Challenge> challenge_of(store::RemoteUnit& unit, const Peer& peer,
                                                  std::optional<base::Duration> patience = {}) {
  std::array<std::uint8_t, pull::challenge_bytes> answer{};
  const auto came = ask(unit, pull::challenge_layout, answer, patience);
  if (!came) return base::fail(came.error());
  const auto challenge = pull::decode_challenge(base::ByteView(answer).first(*came));
  if (!challenge) return unreachable("it is no copy manager");
  if (challenge->version == pull_protocol_version) return *challenge;
  return unreachable(fmt::format("{} has version {} of the pull protocol, this array version {}",
                                 peer.member().name, challenge->version, pull_protocol_version));
}

// A session in which the member has said who it is.
struct Greeted {
  Unit unit;
  pull::Challenge challenge;
};

store::RemoteResult<Greeted> greet(const Peers& peers, const GroupView& view, Peer& peer,
                                   const PullSource::Stopped& stopped) {
  auto unit = connect(peers, view, peer, stopped);
  auto challenge = unit ? challenge_of(**unit, peer) : base::fail(unit.error());
  if (challenge) {
    peer.reached(challenge->creator);
    return Greeted{std::move(*unit), *challenge};
  }
  const bool stopped_early = challenge.error().kind == RemoteTrouble::Kind::stopped;
  if (!stopped_early && peer.not_reached(challenge.error().text)) {
    base::log::warning("copy manager group {}: {} cannot be reached: {}", view.group.name,
                       peer.member().name, challenge.error().text);
  }
  return base::fail(challenge.error());
}

// Asks those who have not been asked, until one of them is it; the session with it is kept.
base::Result<PeerPtr, CopyFault> look_for(Peers& peers,
                                          const std::shared_ptr<const GroupView>& view,
                                          const CopyManagerDesignator& designator,
                                          const PullSource::Stopped& stopped) {
  if (PeerPtr known = peers.find(designator)) return known;
  bool somebody_silent = false;
  for (const PeerPtr& peer : peers.all()) {
    if (peer->designator()) continue;
    auto greeted = greet(peers, *view, *peer, stopped);
    if (!greeted && greeted.error().kind == RemoteTrouble::Kind::stopped) {
      return base::fail(fault_of(greeted.error()));
    }
    somebody_silent = somebody_silent || !greeted;
    if (peer->designator() != designator) continue;
    if (greeted) peer->sessions().keep(std::move(greeted->unit), view);
    return peer;
  }
  if (somebody_silent) return base::fail(CopyFault{CopyFault::Kind::creator_unreachable});
  return base::fail(CopyFault{CopyFault::Kind::token, tokens::TokenFault::unknown});
}

PullContext new_context(Peers& peers, const pull::Challenge& challenge,
                        const scsi::RodTokenBytes& token) {
  PullContext out{challenge.creator, peers.own(), challenge.nonce, {}, token};
  peers.randomness().fill(out.openers_nonce);
  return out;
}

// PULL OPEN, and the creator's own proof, without which nothing is read from it.
store::RemoteResult<pull::Opened> open_token(store::RemoteUnit& unit, const GroupView& view,
                                             const PullContext& context) {
  const auto list =
      pull::encode(pull::Open{pull_protocol_version, context.opener, context.openers_nonce,
                              prove(view.open_proof, context), scsi::identifier_of(context.token)});
  scsi::CdbBytes cdb = scsi::make_cdb(pull::open_layout);
  pull::parameter_list_length.write(cdb, list.size());
  if (auto sent = unit.command(cdb, list, {}); !sent) return base::fail(sent.error());
  std::array<std::uint8_t, pull::opened_bytes> answer{};
  const auto came = ask(unit, pull::opened_layout, answer);
  if (!came) return base::fail(came.error());
  const auto opened = pull::decode_opened(base::ByteView(answer).first(*came));
  if (!opened || !base::equal_in_constant_time(opened->proof, prove(view.opened_proof, context))) {
    return unreachable("it does not know the secret of the group");
  }
  const bool whole =
      opened->block_length.bytes != 0 && opened->bytes.value % opened->block_length.bytes == 0 &&
      opened->bytes.value == scsi::rod_token::bytes_represented_low.read(context.token);
  if (!whole) return unreachable("it tells of another token");
  return *opened;
}

// A token that is open in a session.
struct OpenToken {
  Unit unit;
  pull::Opened opened;
};

// In a session that was kept. Whatever is wrong, nothing has been read yet, and a new session will
// say it better: the error is told to nobody.
std::optional<OpenToken> open_in_kept(Peers& peers, const std::shared_ptr<const GroupView>& view,
                                      Peer& peer, const scsi::RodTokenBytes& token,
                                      const PullSource::Stopped& stopped) {
  Unit unit = peer.sessions().take(view);
  if (unit == nullptr) return std::nullopt;
  unit->set_stopped(stopped);
  const auto challenge = challenge_of(*unit, peer, kept_patience);
  if (!challenge || challenge->creator != tokens::TokenSeal::creator_in(token)) return std::nullopt;
  const auto opened = open_token(*unit, *view, new_context(peers, *challenge, token));
  if (!opened) return std::nullopt;
  peer.reached(challenge->creator);
  return OpenToken{std::move(unit), *opened};
}

base::Result<OpenToken, CopyFault> open_in_new(Peers& peers, const GroupView& view, Peer& peer,
                                               const scsi::RodTokenBytes& token,
                                               const PullSource::Stopped& stopped) {
  auto greeted = greet(peers, view, peer, stopped);
  if (!greeted) return base::fail(fault_of(greeted.error()));
  // Somebody else has its address now.
  if (greeted->challenge.creator != tokens::TokenSeal::creator_in(token)) {
    peer.mistaken();
    return base::fail(CopyFault{CopyFault::Kind::creator_unreachable});
  }
  const auto opened =
      open_token(*greeted->unit, view, new_context(peers, greeted->challenge, token));
  if (opened) return OpenToken{std::move(greeted->unit), *opened};
  if (opened.error().kind == RemoteTrouble::Kind::unreachable) {
    peer.not_reached(opened.error().text);
  }
  return base::fail(fault_of(opened.error()));
}

}  // namespace

CopyFault fault_of(const RemoteTrouble& trouble) {
  using Kind = CopyFault::Kind;
  if (trouble.kind == RemoteTrouble::Kind::stopped) return {Kind::aborted};
  if (trouble.kind == RemoteTrouble::Kind::unreachable) return {Kind::creator_unreachable};
  const auto sense = scsi::parse_sense(trouble.sense);
  if (!sense) return {Kind::creator_unreachable};
  if (const auto fault = token_fault_of(*sense)) return {Kind::token, *fault};
  return {Kind::source_read_failed};
}

base::Result<CopyManagerDesignator, std::string> probe(Peers& peers, Peer& peer) {
  const auto view = peers.group();
  if (view == nullptr) return base::fail(std::string("this array is in no group"));
  const auto greeted = greet(peers, *view, peer, [] { return false; });
  if (!greeted) return base::fail(greeted.error().text);
  return greeted->challenge.creator;
}

base::Result<std::unique_ptr<PullSource>, CopyFault> PullSource::open(
    Peers& peers, const scsi::RodTokenBytes& token, const Stopped& stopped) {
  const auto view = peers.group();
  if (view == nullptr) return base::fail(CopyFault{CopyFault::Kind::token});
  const auto peer = look_for(peers, view, tokens::TokenSeal::creator_in(token), stopped);
  if (!peer) return base::fail(peer.error());
  auto kept = open_in_kept(peers, view, **peer, token, stopped);
  auto open = kept ? base::Result<OpenToken, CopyFault>(std::move(*kept))
                   : open_in_new(peers, *view, **peer, token, stopped);
  if (!open) return base::fail(open.error());
  return std::unique_ptr<PullSource>(
      new PullSource(*peer, view, std::move(open->unit), open->opened.block_length));
}

PullSource::~PullSource() {
  if (open_) unit_->tell(scsi::make_cdb(pull::release_layout));
  peer_->sessions().keep(std::move(unit_), group_);
}

bool PullSource::remove_token() {
  scsi::CdbBytes cdb = scsi::make_cdb(pull::release_layout);
  pull::delete_token.write(cdb, 1);
  open_ = !unit_->command(cdb, {}, {}).has_value();
  return !open_;
}

}  // namespace copymgr
