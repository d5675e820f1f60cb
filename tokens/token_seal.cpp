#include "tokens/token_seal.hpp"

#include <algorithm>

#include "base/digest.hpp"

namespace tokens {
namespace {

constexpr std::size_t name_at = scsi::rod_token::extended_data_at;
constexpr std::size_t creator_at = name_at + 8;
constexpr std::size_t hmac_at = scsi::rod_token_bytes - sizeof(base::Sha256Digest);

}  // namespace

TokenSeal::TokenSeal(const TokenKey& key, std::optional<CopyManagerDesignator> creator)
    : key_(key),
      name_([&key] {
        constexpr std::string_view purpose = "copymgr ROD token key name";
        const auto digest = base::hmac_sha256(key, base::as_bytes(purpose));
        Name name{};
        std::copy_n(digest.begin(), name.size(), name.begin());
        return name;
      }()),
      creator_(creator) {}

void TokenSeal::put_on(scsi::RodTokenBytes& token, base::Randomness& randomness) const {
  const base::ByteSpan bytes(token);
  std::copy(name_.begin(), name_.end(), bytes.begin() + name_at);
  randomness.fill(bytes.subspan(name_at + name_.size(), hmac_at - name_at - name_.size()));
  if (creator_) std::copy(creator_->begin(), creator_->end(), bytes.begin() + creator_at);
  const auto hmac = base::hmac_sha256(key_, bytes.first(hmac_at));
  std::copy(hmac.begin(), hmac.end(), bytes.begin() + hmac_at);
}

TokenSeal::Verdict TokenSeal::verify(const scsi::RodTokenBytes& token) const {
  const base::ByteView bytes(token);
  const bool named = std::equal(name_.begin(), name_.end(), bytes.begin() + name_at);
  if (!named) return Verdict::foreign;
  const auto hmac = base::hmac_sha256(key_, bytes.first(hmac_at));
  if (!base::equal_in_constant_time(hmac, bytes.subspan(hmac_at))) return Verdict::broken;
  return creator_ && creator_in(token) != *creator_ ? Verdict::of_member : Verdict::genuine;
}

CopyManagerDesignator TokenSeal::creator_in(const scsi::RodTokenBytes& token) {
  CopyManagerDesignator out{};
  std::copy_n(token.begin() + creator_at, out.size(), out.begin());
  return out;
}

}  // namespace tokens
