#include "core/safetensors.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/oracles/temporary_folder.h"

namespace safetensors_test_both {

using namespace attend;
using oracles::TemporaryFolder;

namespace {
const std::string own_dtype = sizeof(real) == 4 ? "F32" : "F64";

// A file of that header (its length put in front) and data.
std::string file_of(const std::string& header, const std::string& data) {
    const uint64_t length = header.size();
    std::string text(8, '\0');
    std::memcpy(text.data(), &length, 8);
    return text + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// What opening (and reading everything in) a file of these bytes throws, its name cut off; "" when
// nothing.
std::string complaint(const TemporaryFolder& folder, const std::string& contents) {
    const auto path = folder / "x.safetensors";
    std::ofstream(path, std::ios::binary) << contents;  // not brought to the disk: there are thousands of them
    try {
        const SafetensorsFile file(path);
        for (const TensorInfo& t : file.tensors()) {
            if (t.dtype == Dtype::f8_e4m3 || t.dtype == Dtype::f8_e5m2)
                static_cast<void>(file.bytes(t));
            else if (t.dtype == Dtype::f16 || t.dtype == Dtype::bf16 || t.dtype == Dtype::f32 || t.dtype == Dtype::f64)
                CHECK(file.read(t.name).shape() == t.shape);
            else
                CHECK(static_cast<int64_t>(file.read_integers(t.name).size()) == t.shape.size());
        }
    } catch (const Error& e) {
        const std::string text = e.what();
        REQUIRE(text.starts_with(path.string() + ": "));
        return text.substr(path.string().size() + 2);
    }
    return "";
}

// One tensor 'w' of two U8 and its fields as given.
std::string with_fields(const std::string& fields) { return file_of("{\"w\":{" + fields + "}}", "ab"); }
std::string with_string(const std::string& json) { return file_of("{\"__metadata__\":{" + json + ":\"v\"}}", ""); }
}  // namespace

TEST_SUITE("safetensors") {
    TEST_CASE("what is written is read") {
        const TemporaryFolder folder;
        const auto path = folder / "model.safetensors";
        std::vector<real> weight(12), nothing, one{std::numeric_limits<real>::denorm_min()};
        std::iota(weight.begin(), weight.end(), real{-5.25});
        const std::string odd = "tab\there \"quoted\" back\\slash \x01 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
        const NamedArray arrays[] = {
            {"b.weight", {3, 4}, weight.data()}, {"empty", {0, 7}, nothing.data()}, {odd, {}, one.data()}};
        const WrittenFile written = write_safetensors(path, arrays, {{"z", "last"}, {"format", odd}});
        CHECK(written.bytes % 8 == sizeof(real) % 8 * 13 % 8);
        CHECK(written.bytes == std::filesystem::file_size(path));
        CHECK(written.crc32 == crc32_of_file(path).crc32);

        const SafetensorsFile file(path);
        REQUIRE(file.tensors().size() == 3);
        CHECK(file.tensors()[0].name == "b.weight");
        CHECK(file.tensors()[1].name == "empty");
        CHECK(file.tensors()[2].name == odd);
        CHECK(file.metadata() == Metadata{{"format", odd}, {"z", "last"}});
        CHECK(std::string(dtype_name(file.info("b.weight").dtype)) == own_dtype);
        CHECK(file.has("empty"));
        CHECK_FALSE(file.has("b"));
        CHECK(file.read("b.weight").shape() == Shape{3, 4});
        CHECK(file.read("b.weight").values() == weight);
        CHECK(file.read("empty").shape() == Shape{0, 7});
        CHECK(file.read(odd).item() == one[0]);
        std::vector<real> into(12);
        file.read_into("b.weight", into.data(), {3, 4});
        CHECK(into == weight);

        const std::string bytes = read_file(path, 10000);
        write_safetensors(path, arrays, {{"format", odd}, {"z", "last"}});
        CHECK(read_file(path, 10000) == bytes);
        write_safetensors(path, {});
        CHECK(SafetensorsFile(path).tensors().empty());
    }

    TEST_CASE("integers are written as I32, beside numbers") {
        const TemporaryFolder folder;
        const auto path = folder / "ids.safetensors";
        const std::vector<int32_t> ids{-1, 0, std::numeric_limits<int32_t>::max(), 7, 8, std::numeric_limits<int32_t>::min()};
        const real half = real{0.5};
        const NamedArray arrays[] = {
            {"ids", {2, 3}, nullptr, ids.data()}, {"half", {}, &half}, {"none", {0, 4}, nullptr, ids.data()}};
        const WrittenFile written = write_safetensors(path, arrays);
        CHECK(written.crc32 == crc32_of_file(path).crc32);
        const SafetensorsFile file(path);
        CHECK(file.info("ids").dtype == Dtype::i32);
        CHECK(file.info("ids").shape == Shape{2, 3});
        CHECK(file.read_integers("ids") == std::vector<int64_t>(ids.begin(), ids.end()));
        CHECK(file.info("none").dtype == Dtype::i32);
        CHECK(file.read_integers("none").empty());
        CHECK(file.read("half").item() == half);
        CHECK_THROWS_AS(file.read("ids"), Error);
    }

    TEST_CASE("the bytes are those of the format") {
        const TemporaryFolder folder;
        const std::vector<real> values{1, 2};
        const NamedArray arrays[] = {{"a", {2, 1}, values.data()}, {"b", {}, values.data()}};
        write_safetensors(folder / "x", arrays, {{"k", "v"}});
        const std::string n = sizeof(real) == 4 ? "8" : "16", m = sizeof(real) == 4 ? "12" : "24";
        std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":")" + own_dtype +
                             R"(","shape":[2,1],"data_offsets":[0,)" + n + R"(]},"b":{"dtype":")" + own_dtype +
                             R"(","shape":[],"data_offsets":[)" + n + "," + m + "]}}";
        header.append((8 - header.size() % 8) % 8, ' ');
        CHECK(read_file(folder / "x", 10000) == file_of(header, bytes_of<real>({1, 2, 1})));
    }

    TEST_CASE("half, bfloat16, single and double become real") {
        const TemporaryFolder folder;
        const auto path = folder / "x.safetensors";
        const std::vector<uint16_t> half{0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001,
                                         0x03ff, 0x0400, 0x3555, 0x7c00, 0xfc00, 0x7e00};
        const std::vector<uint16_t> brain{0x0000, 0x3f80, 0xc040, 0x7f7f, 0x0001, 0x7f80, 0xff80, 0x7fc0};
        const std::vector<float> single{1.5f, -0.1f, 3e38f};
        const std::vector<double> twice{0.1, -2, 1e-30};
        // An odd byte in front of everything: nothing is aligned.
        const std::string data = "\x01" + bytes_of(half) + bytes_of(brain) + bytes_of(single) + bytes_of(twice);
        write_file_atomically(path, file_of(R"({"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},
            "half":{"dtype":"F16","shape":[12],"data_offsets":[1,25]}, "brain" : {"shape":[ 2 , 4 ],"dtype":"BF16","data_offsets":[25,41]},
            "single":{"dtype":"F32","shape":[3],"data_offsets":[41,53]},"double":{"dtype":"F64","shape":[3],"data_offsets":[53,77]}}  )",
                                            data));
        const SafetensorsFile file(path);
        const std::vector<real> h = file.read("half").values(), b = file.read("brain").values();
        const auto third = static_cast<real>(0x1.554p-2);
        CHECK(std::vector<real>(h.begin(), h.begin() + 9) == std::vector<real>{0, 0, 1, -2, 65504, static_cast<real>(0x1p-24),
                                                                               static_cast<real>(1023 * 0x1p-24),
                                                                               static_cast<real>(0x1p-14), third});
        CHECK(std::signbit(h[1]));
        CHECK((std::isinf(h[9]) && h[9] > 0));
        CHECK((std::isinf(h[10]) && h[10] < 0));
        CHECK(std::isnan(h[11]));
        CHECK(std::vector<real>(b.begin(), b.begin() + 5) ==
              std::vector<real>{0, 1, -3, static_cast<real>(0x1.fep127), static_cast<real>(0x1p-133)});
        CHECK((std::isinf(b[5]) && b[5] > 0));
        CHECK((std::isinf(b[6]) && b[6] < 0));
        CHECK(std::isnan(b[7]));
        CHECK(file.read("brain").shape() == Shape{2, 4});
        CHECK(file.read("single").values() == std::vector<real>{1.5f, -0.1f, 3e38f});
        CHECK(file.read("double").values() == std::vector<real>{static_cast<real>(0.1), -2, static_cast<real>(1e-30)});
        CHECK(file.read_integers("flag") == std::vector<int64_t>{1});
    }

    TEST_CASE("integers are read as they are") {
        const TemporaryFolder folder;
        const auto path = folder / "x.safetensors";
        const auto check = [&]<class T>(const char* dtype, const std::vector<T>& values) {
            CAPTURE(dtype);
            const std::size_t bytes = values.size() * sizeof(T);
            write_file_atomically(path, file_of(fmt::format(R"({{"t":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})",
                                                            dtype, values.size(), bytes),
                                                bytes_of(values)));
            const SafetensorsFile file(path);
            CHECK(file.read_integers("t") == std::vector<int64_t>(values.begin(), values.end()));
            CHECK(dtype_bytes(file.info("t").dtype) == sizeof(T));
            CHECK(std::string(dtype_name(file.info("t").dtype)) == dtype);
            CHECK_THROWS_AS(file.read("t"), Error);
        };
        check("BOOL", std::vector<uint8_t>{0, 1});
        check("U8", std::vector<uint8_t>{0, 255});
        check("I8", std::vector<int8_t>{-128, 127});
        check("U16", std::vector<uint16_t>{0, 65535});
        check("I16", std::vector<int16_t>{-32768, 32767});
        check("U32", std::vector<uint32_t>{0, ~0u});
        check("I32", std::vector<int32_t>{std::numeric_limits<int32_t>::min(), 7});
        check("I64", std::vector<int64_t>{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()});
        check("U64", std::vector<uint64_t>{0, uint64_t{1} << 62});
    }

    TEST_CASE("what cannot be read from a good file says why") {
        const TemporaryFolder folder;
        const auto path = folder / "x.safetensors";
        const std::string name = path.string();
        write_file_atomically(path, file_of(R"({"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},
            "i":{"dtype":"U64","shape":[1],"data_offsets":[16,24]},"big":{"dtype":"F64","shape":[1],"data_offsets":[24,32]},
            "tiny":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[32,33]}})",
                                            bytes_of<float>({1, 2, 3, 4}) + bytes_of<uint64_t>({~uint64_t{0}}) +
                                                bytes_of<double>({-1e300}) + "x"));
        const SafetensorsFile file(path);
        std::vector<real> to(4);
        CHECK_THROWS_WITH_AS(file.read("v"), (name + ": no such tensor: 'v', the file has 4 tensors").c_str(), Error);
        CHECK_THROWS_WITH_AS(file.read_into("w", to.data(), {4}),
                             (name + ": tensor 'w': another shape: file [2, 2], expected [4]").c_str(), Error);
        CHECK_THROWS_WITH_AS(
            file.read("i"),
            (name + ": tensor 'i': not of a floating-point dtype that can be read: U64, readable F16, BF16, F32, F64").c_str(),
            Error);
        CHECK_THROWS_AS(file.read("tiny"), Error);
        CHECK_THROWS_WITH_AS(file.read_integers("w"), (name + ": tensor 'w': not of an integer dtype: F32 [2, 2]").c_str(),
                             Error);
        CHECK_THROWS_WITH_AS(
            file.read_integers("i"),
            (name + ": tensor 'i': value does not fit: value 18446744073709551615, limit 9223372036854775807").c_str(), Error);
        if (sizeof(real) == 4)
            CHECK_THROWS_WITH_AS(file.read("big"),
                                 (name + ": tensor 'big': value does not fit f32: value -1e+300, limit 3.4028235e+38").c_str(),
                                 Error);
        else
            CHECK(file.read("big").item() == static_cast<real>(-1e300));
    }

    TEST_CASE("a file that breaks a rule is refused, with its message") {
        const TemporaryFolder folder;
        const std::string good = R"("dtype":"U8","shape":[2],"data_offsets":[0,2])";
        CHECK(complaint(folder, with_fields(good)).empty());
        const auto two = [](const char* a, const char* b, const char* data) {
            return file_of(
                fmt::format(
                    R"({{"a":{{"dtype":"U8","shape":[2],"data_offsets":{}}},"b":{{"dtype":"U8","shape":[2],"data_offsets":{}}}}})",
                    a, b),
                data);
        };
        CHECK(complaint(folder, two("[0,2]", "[2,4]", "abcd")).empty());
        CHECK(complaint(folder, two("[2,4]", "[0,2]", "abcd")).empty());
        const std::string huge = std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8) + "{}";
        struct Case {
            std::string contents, message;
        };
        const Case cases[] = {
            {"", "too short for a safetensors file: size 0 bytes, least 8 bytes"},
            {"1234567", "too short for a safetensors file: size 7 bytes, least 8 bytes"},
            {huge,
             "not a safetensors file, or its header is too long: header 18446744073709551615 bytes, limit 100000000 bytes"},
            {file_of("{}", "").substr(0, 9), "cut short: header ends at byte 10, file has 9 bytes"},
            {file_of("", ""), "safetensors header: does not begin with '{'"},
            {file_of(" {}", ""), "safetensors header: does not begin with '{'"},
            {file_of("[]", ""), "safetensors header: does not begin with '{'"},
            {file_of("{}x", ""),
             "safetensors header: not JSON: 3 bytes, line 1, column 3: syntax error while parsing value - invalid literal"
             "; expected end of input"},
            {file_of(std::string("{}\0", 3), ""), "safetensors header: not JSON: 3 bytes, byte 3 is zero"},
            {file_of("{", ""),
             "safetensors header: not JSON: 1 bytes, line 1, column 2: syntax error while parsing object key - unexpected end "
             "of input"
             "; expected string literal"},
            {file_of("{,}", ""),
             "safetensors header: not JSON: 3 bytes, line 1, column 2: syntax error while parsing object key - unexpected ','"
             "; expected string literal"},
            {file_of("{\"a\"}", ""),
             "safetensors header: not JSON: 5 bytes, line 1, column 5: syntax error while parsing object separator - "
             "unexpected '}'"
             "; expected ':'"},
            {file_of("{\"a\":1}", ""), "safetensors header: 'a': expected an object"},
            {file_of(R"({"__metadata__":{"a":1}})", ""), "safetensors header: 'a' in __metadata__: expected a string"},
            {file_of(R"({"__metadata__":{"a":"b",}})", ""),
             "safetensors header: not JSON: 27 bytes, line 1, column 26: syntax error while parsing object key - unexpected '}'"
             "; expected string literal"},
            {file_of(R"({"__metadata__":{"a":"b" "c":"d"}})", ""),
             "safetensors header: not JSON: 34 bytes, line 1, column 28: syntax error while parsing object - unexpected string "
             "literal"
             "; expected '}'"},
            {file_of(R"({"__metadata__":{"a":"b","a":"c"}})", ""), "safetensors header: name comes twice: 'a' in __metadata__"},
            {file_of(R"({"__metadata__":{},"__metadata__":{}})", ""), "safetensors header: name comes twice: '__metadata__'"},
            {file_of("{\"w\":{" + good + "},\"w\":{" + good + "}}", "ab"), "safetensors header: name comes twice: 'w'"},
            {file_of("{}", "x"), "bytes that belong to no tensor: tensors end at 0, data bytes 1"},
            {with_fields(R"("shape":[2],"data_offsets":[0,2])"), "tensor 'w': field missing: dtype"},
            {with_fields(R"("dtype":"U8","data_offsets":[0,2])"), "tensor 'w': field missing: shape"},
            {with_fields(R"("dtype":"U8","shape":[2])"), "tensor 'w': field missing: data_offsets"},
            {with_fields(good + R"(,"shape":[2])"), "tensor 'w': field comes twice: shape"},
            {with_fields(good + R"(,"strides":[2])"), "tensor 'w': unknown field: 'strides'"},
            {with_fields(R"("dtype":"F31","shape":[2],"data_offsets":[0,2])"), "tensor 'w': unknown dtype: 'F31'"},
            {with_fields(R"("dtype":"U8","shape":[-2],"data_offsets":[0,2])"),
             "tensor 'w': shape: expected a list of unsigned 64-bit integers"},
            {with_fields(R"("dtype":"U8","shape":[02],"data_offsets":[0,2])"),
             "safetensors header: not JSON: 54 bytes, line 1, column 30: syntax error while parsing array - unexpected number "
             "literal"
             "; expected ']'"},
            {with_fields(R"("dtype":"U8","shape":[2.0],"data_offsets":[0,2])"),
             "tensor 'w': shape: expected a list of unsigned 64-bit integers"},
            {with_fields(R"("dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,2])"),
             "tensor 'w': shape: expected a list of unsigned 64-bit integers"},
            {with_fields(R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,2])"),
             "tensor 'w': too many elements: limit 1099511627776, axis 0 has 18446744073709551615"},
            {with_fields(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])"),
             "tensor 'w': too many elements: limit 1099511627776, axis 1 has 4294967296"},
            {with_fields(R"("dtype":"U8","shape":[0,1048577,1048577],"data_offsets":[0,0])"),
             "tensor 'w': too many elements: limit 1099511627776, axis 2 has 1048577"},
            {with_fields(R"("dtype":"U8","shape":[1,1,1,1,1,1,2],"data_offsets":[0,2])"),
             "tensor 'w': too many axes: rank 7, limit 6"},
            {with_fields(R"("dtype":"U8","shape":[2],"data_offsets":[0])"),
             "tensor 'w': data_offsets: expected two unsigned 64-bit integers"},
            {with_fields(R"("dtype":"U8","shape":[2],"data_offsets":[0,2,2])"),
             "tensor 'w': data_offsets: expected two unsigned 64-bit integers"},
            {with_fields(R"("dtype":"U8","shape":[2],"data_offsets":[2,0])"),
             "tensor 'w': offsets run backwards: begin 2, end 0"},
            {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[0,3])"),
             "tensor 'w': leaves the file: end 3, data bytes 2"},
            {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[18446744073709551614,18446744073709551615])"),
             "tensor 'w': leaves the file: end 18446744073709551615, data bytes 2"},
            {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[0,2])"),
             "tensor 'w': bytes differ from the shape's: U8 [3] needs 3, offsets give 2"},
            {with_fields(R"("dtype":"I64","shape":[2],"data_offsets":[0,2])"),
             "tensor 'w': bytes differ from the shape's: I64 [2] needs 16, offsets give 2"},
            {with_fields(R"("dtype":"U8","shape":[1],"data_offsets":[1,2])"),
             "tensor 'w': a gap before it: begin 1, end of the one before 0"},
            {with_fields(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])"),
             "bytes that belong to no tensor: tensors end at 1, data bytes 2"},
            {two("[0,2]", "[0,2]", "ab"), "tensor 'b': overlaps the one before: begin 0, its end 2"},
            {two("[0,2]", "[1,3]", "abc"), "tensor 'b': overlaps the one before: begin 1, its end 2"},
            {two("[0,2]", "[3,5]", "abcde"), "tensor 'b': a gap before it: begin 3, end of the one before 2"},
            {with_string(R"("a)"),
             "safetensors header: not JSON: 25 bytes, line 1, column 22: syntax error while parsing object separator - invalid "
             "literal"
             "; expected ':'"},
            {with_string("\"a\nb\""),
             "safetensors header: not JSON: 28 bytes, line 2, column 0: syntax error while parsing object key - invalid "
             "string: control character U+000A (LF) must be escaped to \\u000A or \\n"
             "; expected string literal"},
            {with_string("\"\xff\""),
             "safetensors header: not JSON: 26 bytes, line 1, column 19: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xc0\x80\""),
             "safetensors header: not JSON: 27 bytes, line 1, column 19: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xed\xa0\x80\""),
             "safetensors header: not JSON: 28 bytes, line 1, column 20: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xe0\x9f\x80\""),
             "safetensors header: not JSON: 28 bytes, line 1, column 20: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xf0\x8f\x80\x80\""),
             "safetensors header: not JSON: 29 bytes, line 1, column 20: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xf4\x90\x80\x80\""),
             "safetensors header: not JSON: 29 bytes, line 1, column 20: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xf5\x80\x80\x80\""),
             "safetensors header: not JSON: 29 bytes, line 1, column 19: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\xe2\x82\""),
             "safetensors header: not JSON: 27 bytes, line 1, column 21: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string("\"\x80\""),
             "safetensors header: not JSON: 26 bytes, line 1, column 19: syntax error while parsing object key - invalid "
             "string: ill-formed UTF-8 byte"
             "; expected string literal"},
            {with_string(R"("\x")"),
             "safetensors header: not JSON: 27 bytes, line 1, column 20: syntax error while parsing object key - invalid "
             "string: forbidden character after backslash"
             "; expected string literal"},
            {with_string(R"("\u12g4")"),
             "safetensors header: not JSON: 31 bytes, line 1, column 23: syntax error while parsing object key - invalid "
             "string: '\\u' must be followed by 4 hex digits"
             "; expected string literal"},
            {with_string(R"("\ud800")"),
             "safetensors header: not JSON: 31 bytes, line 1, column 25: syntax error while parsing object key - invalid "
             "string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF"
             "; expected string literal"},
            {with_string(R"("\ud800\u0041")"),
             "safetensors header: not JSON: 37 bytes, line 1, column 30: syntax error while parsing object key - invalid "
             "string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF"
             "; expected string literal"},
            {with_string(R"("\udc00")"),
             "safetensors header: not JSON: 31 bytes, line 1, column 24: syntax error while parsing object key - invalid "
             "string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF"
             "; expected string literal"},
            {file_of(std::string(100'000, '{'), ""),
             "safetensors header: nested too deeply: depth 65, limit 64, line 1, byte 65 of 100000"},
            {file_of("{\"w\":" + std::string(100'000, '['), ""),
             "safetensors header: nested too deeply: depth 65, limit 64, line 1, byte 69 of 100005"},
        };
        for (const Case& c : cases) {
            CAPTURE(c.contents.substr(0, 200));
            CHECK(complaint(folder, c.contents) == c.message);
        }
    }

    TEST_CASE("strings may be escaped in any way JSON knows") {
        const TemporaryFolder folder;
        const auto path = folder / "x.safetensors";
        write_file_atomically(path, with_string(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00")"));
        CHECK(SafetensorsFile(path).metadata().begin()->first == "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    }

    TEST_CASE("a file cut short anywhere is refused") {
        const TemporaryFolder folder;
        const std::vector<real> values{1, 2, 3};
        const NamedArray arrays[] = {{"first", {2}, values.data()}, {"second.weight", {1, 3}, values.data()}};
        write_safetensors(folder / "whole", arrays, {{"format", "1"}});
        const std::string whole = read_file(folder / "whole", 10000);
        CHECK(complaint(folder, whole).empty());
        for (std::size_t n = 0; n < whole.size(); ++n) {
            CAPTURE(n);
            CHECK_FALSE(complaint(folder, whole.substr(0, n)).empty());
        }
        CHECK_FALSE(complaint(folder, whole + '\0').empty());
    }

    TEST_CASE("a file with any one byte changed is read or refused, never worse") {
        const TemporaryFolder folder;
        const std::vector<real> values{1, 2, 3};
        const NamedArray arrays[] = {{"a", {2}, values.data()}, {"b", {1, 3}, values.data()}};
        write_safetensors(folder / "whole", arrays, {{"k", "v"}});
        const std::string whole = read_file(folder / "whole", 10000);
        int refused = 0, tried = 0;
        for (std::size_t i = 0; i < whole.size(); ++i)
            for (const int flip : {0x01, 0x02, 0x04, 0x10, 0x20, 0x80, 0xff}) {
                std::string broken = whole;
                broken[i] = static_cast<char>(broken[i] ^ flip);
                refused += complaint(folder, broken).empty() ? 0 : 1;
                ++tried;
            }
        CHECK(refused > tried / 2);
        CHECK(refused < tried);  // a changed value is no broken file
    }

    TEST_CASE("what cannot be written is refused, and the old file stays") {
        const TemporaryFolder folder;
        const auto path = folder / "x";
        const std::string name = path.string();
        write_file_atomically(path, "old");
        const real value = 1;
        const auto write = [&](std::vector<NamedArray> arrays, const Metadata& metadata = {}) {
            write_safetensors(path, arrays, metadata);
        };
        CHECK_THROWS_WITH_AS(write({{"a", {}, &value}, {"a", {}, &value}}),
                             (name + ": name is taken: 'a', tensors before it 1").c_str(), Error);
        CHECK_THROWS_WITH_AS(write({{"__metadata__", {}, &value}}),
                             (name + ": name is taken: '__metadata__', tensors before it 0").c_str(), Error);
        CHECK_THROWS_WITH_AS(write({{"a\xff", {}, &value}}), (name + ": text is not valid UTF-8: 'a\xff'").c_str(), Error);
        CHECK_THROWS_WITH_AS(write({}, {{"k", "\xed\xa0\x80"}}), (name + ": text is not valid UTF-8: '\xed\xa0\x80'").c_str(),
                             Error);
        CHECK_THROWS_WITH_AS(write({{"a", {3}, nullptr}}), (name + ": tensor 'a': no values: shape [3] has 3, given 0").c_str(),
                             MachineError);
        CHECK(read_file(path, 10) == "old");
    }
}

}  // namespace safetensors_test_both
