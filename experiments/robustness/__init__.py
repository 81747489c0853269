"""What finished runs make of test data with a missing or corrupted modality."""
