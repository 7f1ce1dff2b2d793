#include "train/show/report/page.h"

#include <fmt/format.h>

#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json_text.h"
#include "core/base/own_files.h"
#include "train/show/report/assets.h"

namespace attend {

namespace {

// `text` with every mark of the list replaced by its text. Marks in those texts are not replaced.
std::string filled(std::string_view text, std::initializer_list<std::pair<std::string_view, std::string_view>> marks) {
    std::string result;
    while (!text.empty()) {
        std::size_t at = std::string_view::npos;
        std::pair<std::string_view, std::string_view> next;
        for (const auto& mark : marks)
            if (const std::size_t found = text.find(mark.first); found < at) {
                at = found;
                next = mark;
            }
        result.append(text.substr(0, at));
        if (at == std::string_view::npos)
            break;
        result.append(next.second);
        text.remove_prefix(at + next.first.size());
    }
    return result;
}

}  // namespace

std::string_view asset(std::string_view name) {
    for (const Asset& a : assets())
        if (a.name == name)
            return a.text;
    ensure(false, "page: no such asset in this program: name '{}'", name);
    return {};
}

std::string script_json(const Json& value) {
    std::string result;
    for (const char c : value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace))
        if (c == '<' || c == '>' || c == '&')  // these are only in strings
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            result.push_back(c);
    return result;
}

std::string escaped_html(std::string_view text) {
    // The writer of JSON replaces invalid bytes.
    const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    auto valid = parse_json<Json>("text", quoted).get<std::string>();
    for (char& c : valid) c = c >= 0 && c < ' ' ? ' ' : c;
    return filled(valid, {{"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string html_page(const std::string& title, const std::vector<std::string_view>& scripts, const Json& data) {
    std::string code;
    const auto add = [&](std::string_view name) { code.append("<script>\n").append(asset(name)).append("\n</script>\n"); };
    add("chart.min.js");
    add("common.js");
    for (const std::string_view name : scripts) add(name);
    return filled(asset("page.html"), {{"@TITLE@", escaped_html(title)},
                                       {"@STYLE@", asset("common.css")},
                                       {"@DATA@", script_json(data)},
                                       {"@SCRIPTS@", code}});
}

bool is_page(const std::filesystem::path& path) {
    if (kind_of(path) != Kind::file)
        return false;
    std::string head(1024, '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    return head.find("<meta name=\"generator\" content=\"attend\">") != std::string::npos;
}

}  // namespace attend
