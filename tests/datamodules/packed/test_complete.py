from datamodules.packed.complete import sort_out, warn_of_few

THERE = {"video": {"a", "b", "c"}, "sound": {"b", "c", "d"}, "joints": {"c"}}


def test_samples_that_have_all_and_what_the_others_lack() -> None:
    complete, lacking = sort_out(THERE)
    assert complete == {"c"}
    assert lacking == {
        "a": "no sound file, no joints file",
        "b": "no joints file",
        "d": "no video file, no joints file",
    }
    assert sort_out({}) == (set(), {})
    assert sort_out({"video": {"a"}}) == ({"a"}, {})


def test_a_modality_that_hardly_any_sample_has_is_named() -> None:
    many = {str(number) for number in range(9)}
    (warning,) = warn_of_few({"video": many, "sound": many, "joints": {"1"}})
    assert warning.startswith(
        "1 of 9 samples have all modalities, and the others are dropped: "
        "9 have video, 9 have sound, 1 have joints; move "
    )
    two_rare = {"video": many, "sound": {"1"}, "joints": {"1"}}
    assert warn_of_few(two_rare) and warn_of_few({"video": many, "sound": {"x"}})
    assert warn_of_few({"video": many, "sound": many}) == []
    assert warn_of_few({"video": many}) == []
    assert warn_of_few({"video": many, "joints": {str(number) for number in range(5)}}) == []
