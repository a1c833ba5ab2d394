def test_a_number_of_too_many_digits_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two", "n": ' + "9" * 5000 + "}\n")
    with pytest.raises(ScoringError, match=r"a\.jsonl:2 has a number of too many digits"):
        read_pairs(file, file)
