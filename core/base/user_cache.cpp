#include "core/base/user_cache.h"

#include <cstdlib>
#include <utility>

namespace attend {

std::filesystem::path user_cache() {
    for (const auto& [name, below] : {std::pair{"XDG_CACHE_HOME", "attend"}, std::pair{"HOME", ".cache/attend"}}) {
        const char* value = std::getenv(name);
        if (value != nullptr && std::filesystem::path(value).is_absolute())
            return std::filesystem::path(value) / below;
    }
    return {};
}

}  // namespace attend
