// Whether a sanitizer is compiled in: it makes a program many times slower (the one for threads
// most of all) and keeps freed memory on purpose.
#pragma once

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define COPYMGR_ADDRESS_SANITIZED
#elif __has_feature(thread_sanitizer)
#define COPYMGR_THREAD_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define COPYMGR_ADDRESS_SANITIZED
#elif defined(__SANITIZE_THREAD__)
#define COPYMGR_THREAD_SANITIZED
#endif

namespace test {

#ifdef COPYMGR_THREAD_SANITIZED
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif

#ifdef COPYMGR_ADDRESS_SANITIZED
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = thread_sanitized;
#endif

}  // namespace test
