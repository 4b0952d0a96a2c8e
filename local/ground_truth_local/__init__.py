"""An embedded AWS with SageMaker Ground Truth, for laptops and CI."""
