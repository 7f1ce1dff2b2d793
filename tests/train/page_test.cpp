#include "train/show/report/page.h"

#include <doctest/doctest.h>

#include "tests/train/run_support.h"

namespace attend::ATTEND_PRECISION {

using testing::contains;
using testing::message_of;

namespace {
// What stands between the first `begin` and the `end` after it.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
    const std::size_t at = text.find(begin);
    REQUIRE(at != std::string::npos);
    return text.substr(at + begin.size(), text.find(end, at + begin.size()) - at - begin.size());
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
    return n;
}
}  // namespace

TEST_SUITE_BEGIN("page");

TEST_CASE("page: JSON in a page is ASCII, ends no element, and reads back as it was") {
    const Json value = {{"</script><script>alert(1)</script>", "<!-- & ]]> \" ' \\ / \n \t \x01 \x7f"},
                        {"separators", "\xe2\x80\xa8 \xe2\x80\xa9"},
                        {"bidi",
                         "\xe2\x80\xae"
                         "abc"},
                        {"emoji", "\xf0\x9f\x98\x80"},
                        {"numbers", {0.1, -1e-300, 12345678901234567, 3}}};
    const std::string text = script_json(value);
    for (const char c : text) CHECK((c >= ' ' && c < 127 && c != '<' && c != '>' && c != '&'));
    CHECK(Json::parse(text) == value);
    CHECK(Json::parse(script_json(Json("a\xff\xc3"))) == Json("a\xef\xbf\xbd\xef\xbf\xbd"));
}

TEST_CASE("page: text in elements and attributes") {
    CHECK(escaped_html("a<b>&\"'\n\x02z") == "a&lt;b&gt;&amp;&quot;&#39;  z");
    CHECK(escaped_html("caf\xc3\xa9 \xfe") == "caf\xc3\xa9 \xef\xbf\xbd");
}

TEST_CASE("page: is whole, in one file, and what is put in is not searched for marks") {
    const std::vector<std::string_view> none;
    const Json data = {{"a", "@SCRIPTS@ @TITLE@ </script>"}};
    const std::string page = html_page("<i>@DATA@</i>", none, data);
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(page.ends_with("</html>\n"));
    CHECK(count(page, "<script") == count(page, "</script>"));
    CHECK(count(page, "<script") == 3);  // the data, Chart.js, common.js
    CHECK(count(page, "&lt;i&gt;@DATA@&lt;/i&gt;") == 2);
    CHECK(Json::parse(between(page, "id=\"data\">", "</script>")) == data);
    CHECK(contains(page, "Chart.js v"));
    CHECK_FALSE(contains(page, "sourceMappingURL"));
    CHECK(contains(page, "default-src 'none'"));
    CHECK(page.size() < 300'000);
    CHECK(contains(message_of<MachineError>([] { asset("no_such.js"); }), "no such asset in this program: name 'no_such.js'"));
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
