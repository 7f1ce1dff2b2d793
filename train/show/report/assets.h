#pragma once
/// The embedded files; embed.cmake writes their definition. Use asset() of page.h.
#include <span>
#include <string_view>

namespace attend {

struct Asset {
    std::string_view name, text;
};
std::span<const Asset> assets();

}  // namespace attend
