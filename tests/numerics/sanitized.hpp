// Whether this is a build under the sanitizers.
#pragma once

namespace trial {
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif
/// Long runs are a tenth as long under the sanitizers, which make each step some fifteen times slower.
inline constexpr long shrink = sanitized ? 10 : 1;
/// Of many like cases every third is looked at under them: the others' bits are the release build's to compare.
inline constexpr int stride = sanitized ? 3 : 1;
}  // namespace trial
