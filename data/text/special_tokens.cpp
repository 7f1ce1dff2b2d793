#include "data/text/special_tokens.h"

#include <algorithm>

namespace attend {

namespace {

class WithSpecialTokens final : public Tokenizer {
  public:
    WithSpecialTokens(std::unique_ptr<Tokenizer> inner, std::vector<std::string> names)
        : inner_(std::move(inner)), names_(std::move(names)), first_(static_cast<int32_t>(inner_->size())) {}

    int64_t size() const override { return first_ + static_cast<int64_t>(names_.size()); }
    std::vector<int32_t> encode(std::string_view line, const Place& place) const override {
        return inner_->encode(line, place);
    }
    bool exact() const override { return inner_->exact(); }
    std::vector<std::string> cut(std::string_view line) const override { return inner_->cut(line); }
    std::string decode(std::span<const int32_t> ids) const override {
        std::string text;
        while (!ids.empty()) {
            const auto own = std::ranges::find_if(ids, [&](int32_t id) { return is_added(id); });
            const auto before = static_cast<std::size_t>(own - ids.begin());
            text += inner_->decode(ids.first(before));
            if (own != ids.end())
                text += name_of(*own);
            ids = ids.subspan(std::min(before + 1, ids.size()));
        }
        return text;
    }
    std::string normal_form(std::string_view line) const override { return inner_->normal_form(line); }
    std::string symbol(int32_t id) const override { return is_added(id) ? name_of(id) : inner_->symbol(id); }
    std::optional<int32_t> special(std::string_view name) const override {
        const auto at = std::ranges::find(names_, name);
        if (at == names_.end())
            return inner_->special(name);
        return first_ + static_cast<int32_t>(at - names_.begin());
    }
    std::optional<int32_t> unknown() const override { return inner_->unknown(); }
    bool continues_word(int32_t before, int32_t id) const override {
        return !is_added(before) && !is_added(id) && inner_->continues_word(before, id);
    }
    std::string variant() const override { return inner_->variant(); }
    void save(const std::string& file) const override { inner_->save(file); }
    std::vector<std::string> publish(const std::string& folder, const std::vector<std::string>& added) const override {
        std::vector<std::string> all = names_;
        all.insert(all.end(), added.begin(), added.end());
        return inner_->publish(folder, all);
    }

  private:
    bool is_added(int32_t id) const { return id >= first_ && id < size(); }
    const std::string& name_of(int32_t id) const { return names_[static_cast<std::size_t>(id - first_)]; }
    std::unique_ptr<Tokenizer> inner_;
    std::vector<std::string> names_;
    int32_t first_;
};

}  // namespace

std::unique_ptr<Tokenizer> with_special_tokens(std::unique_ptr<Tokenizer> tokenizer, const std::vector<std::string>& names) {
    std::vector<std::string> missing;
    for (const std::string& name : names)
        if (!tokenizer->special(name))
            missing.push_back(name);
    if (missing.empty())
        return tokenizer;
    return std::make_unique<WithSpecialTokens>(std::move(tokenizer), std::move(missing));
}

}  // namespace attend
