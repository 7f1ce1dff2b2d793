#pragma once
/// JSON read value by value: for texts of which no tree may be made, because they are large or
/// because every name counts.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace attend {

/// What a text is told to. A function throws Error to refuse what it is given.
class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
  public:
    bool binary(nlohmann::json::binary_t&) final { return false; }  // not in JSON
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) final {
        throw nlohmann::detail::exception(e);
    }
};

/// Tells `events` what is in `text`, in its order. Throws Error "WHERE: ..." as parse_json()
/// (core/base/json_text.h).
void read_json(const std::string& where, std::string_view text, JsonEvents& events);

}  // namespace attend
